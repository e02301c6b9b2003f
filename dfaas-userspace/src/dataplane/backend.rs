//! Where backends are, whichever they are: peers, and gateways at addresses of their own.

use std::net::{IpAddr, SocketAddr};

use dfaas_common::config::Peer as KernelPeer;
use dfaas_common::icmp::believed;

use super::kernel::{Kernel, map_error, monotonic};
use super::link::Links;
use super::{DataPlaneError, convert, route, segment};

/// All interfaces.
pub(super) fn links() -> Result<Links, DataPlaneError> {
    Links::read().map_err(|e| DataPlaneError::Setup {
        what: "reading the interfaces".to_owned(),
        cause: e.to_string(),
        hint: "netlink must answer",
    })
}

/// The entry of a backend as the programs read it, by the route that leads to it now; without one it is of no use.
pub(super) fn located(name: &str, at: SocketAddr, links: &Links) -> KernelPeer {
    let nowhere =
        KernelPeer { address: convert::address(at.ip()), port: at.port().to_be(), ..KernelPeer::default() };
    match route::lookup(at.ip(), links) {
        Ok(route) => KernelPeer {
            source: convert::address(route.source),
            interface: route.interface,
            segment_size: segment::of_path(route.mtu, at.is_ipv6()),
            usable: 1,
            ..nowhere
        },
        Err(e) => {
            tracing::debug!("no route to {name} ({at}): {e}");
            nowhere
        }
    }
}

impl Kernel {
    pub(super) fn entry(&self, number: u32) -> Result<KernelPeer, DataPlaneError> {
        self.peers.get(&number, 0).map_err(map_error("PEERS"))
    }

    pub(super) fn write_entry(&mut self, number: u32, entry: KernelPeer) -> Result<(), DataPlaneError> {
        let before = self.entry(number)?;
        if before == entry {
            return Ok(());
        }
        if (before.address, before.interface) != (entry.address, entry.interface) {
            // What routers have told was of another path.
            self.paths.set(number, 0, 0).map_err(map_error("PATHS"))?;
        }
        self.peers.set(number, entry, 0).map_err(map_error("PEERS"))
    }

    /// The segment size that the path to a backend was found to carry, if that was lately; by the family of its address.
    fn learnt(&self, number: u32) -> Result<Option<u32>, DataPlaneError> {
        let path = self.paths.get(&number, 0).map_err(map_error("PATHS"))?;
        let size = believed(path, monotonic());
        Ok((size != 0).then_some(size))
    }

    /// Number, name and address of every backend that was told.
    fn backends(&self) -> impl Iterator<Item = (u32, String, IpAddr)> {
        let peers = self.known_peers.iter();
        let peers = peers.map(|(number, peer)| (*number, format!("peer {}", peer.name), peer.address));
        let gateways = self.known_gateways.iter().map(|(number, gateway)| {
            (*number, format!("gateway {} ({})", gateway.name, gateway.address), gateway.address.ip())
        });
        peers.chain(gateways)
    }

    /// Brings everything that depends on routes and interfaces in line with those of the moment.
    pub(super) fn follow_routes(&mut self) -> Result<(), DataPlaneError> {
        let links = links()?;
        self.follow_peers(&links)?;
        self.follow_gateways(&links)?;
        self.survey(&links)
    }

    /// Looks at where the backends are: what segment size fits all their paths, and what operators should know.
    pub(super) fn survey(&mut self, links: &Links) -> Result<(), DataPlaneError> {
        let interfaces = &self.settings.interfaces;
        let mtus = interfaces.iter().filter_map(|name| links.named(name)).map(|link| link.mtu);
        let mut problems = Vec::new();
        let mut sizes = Vec::new();
        for (number, name, address) in self.backends() {
            let entry = self.entry(number)?;
            if entry.usable != 0 {
                sizes.push(entry.segment_size);
                // Routers further on may have told the programs of a smaller one.
                sizes.extend(self.learnt(number)?);
            }
            match links.at(entry.interface) {
                _ if entry.interface == 0 => problems.push(format!("{name}: no route to {address}")),
                Some((through, _)) if !interfaces.iter().any(|i| i == through) => problems.push(format!(
                    "{name} is reached through {through}, which is not in dataplane.interfaces: unless its \
                     answers come in elsewhere, they are not seen"
                )),
                _ => {}
            }
        }
        if !(self.peers_written && self.gateways_written) && self.segment_size != 0 {
            // The paths to those of an earlier agent are not known yet: what fitted them still does.
            sizes.push(self.segment_size);
        }
        let size = segment::of_node(mtus, sizes.into_iter());
        if size != self.segment_size {
            self.set_config(|config| config.segment_size = size)?;
            self.segment_size = size;
        }
        self.problems = problems;
        Ok(())
    }
}
