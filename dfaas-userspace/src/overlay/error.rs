use std::io;
use std::net::SocketAddr;

use libp2p::Multiaddr;

/// Why the overlay does not start.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// An address cannot be listened at.
    #[error("overlay.listen: {address}: {cause}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The swarm key guards TCP only, and no TCP address is left.
    #[error("overlay.listen: with a swarm key alone a TCP address is needed")]
    NothingToListenAt,
    /// The port of probes cannot be had.
    #[error("dataplane.data_port: UDP {address}: {cause}; it must be free beside the TCP port")]
    Probe {
        /// Address and port.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// Multicast on the local network cannot be had.
    #[error("overlay.mdns: {0}; set it to false")]
    Mdns(io::Error),
    /// The identity cannot be used for connections.
    #[error("overlay.identity: {0}")]
    Key(String),
}
