//! Listening sockets.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::config::GatewayConfig;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;

/// The sockets of a gateway, bound and listening.
#[derive(Debug)]
pub struct Listeners {
    /// Where invocations and admin requests arrive.
    pub gateway: Vec<TcpListener>,
    /// Where metrics are read.
    pub metrics: Option<TcpListener>,
}

impl Listeners {
    /// Binds every address of a configuration. Needs a tokio runtime. Port 0 lets the kernel choose; ask the
    /// listeners for their addresses.
    ///
    /// # Errors
    /// The first address that cannot be bound, with its key.
    pub fn bind(config: &GatewayConfig) -> Result<Self> {
        let gateway = config.listen.iter().map(|address| {
            listen(*address, config.mptcp).with_context(|| format!("listen: {address} cannot be bound"))
        });
        let metrics = config.metrics_listen.map(|address| {
            listen(address, false).with_context(|| format!("metrics_listen: {address} cannot be bound"))
        });
        Ok(Self { gateway: gateway.collect::<Result<_>>()?, metrics: metrics.transpose()? })
    }
}

fn listen(address: SocketAddr, mptcp: bool) -> std::io::Result<TcpListener> {
    let socket = open(address, mptcp)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // So that "0.0.0.0:8080" and "[::]:8080" can be listed together and peers have their own addresses.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

fn open(address: SocketAddr, mptcp: bool) -> std::io::Result<Socket> {
    let domain = Domain::for_address(address);
    if mptcp {
        match Socket::new(domain, Type::STREAM, Some(Protocol::MPTCP)) {
            Ok(socket) => return Ok(socket),
            Err(error) => tracing::warn!(
                %address, %error,
                "this kernel gives no Multipath TCP socket (see net.mptcp.enabled); listening with plain TCP"
            ),
        }
    }
    Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
}
