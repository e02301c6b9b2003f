//! The peers: where they are, how they are reached, what is taken from them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use dfaas_common::address::Address;
use dfaas_common::config::Peer as KernelPeer;

use super::kernel::{Kernel, map_error};
use super::{DataPlaneError, Peer, convert, route};

/// The peer as the programs read it, by the route that leads to it now.
fn located(peer: &Peer) -> KernelPeer {
    let nowhere = KernelPeer {
        address: convert::address(peer.address),
        port: peer.data_port.to_be(),
        ..KernelPeer::default()
    };
    match route::lookup(peer.address) {
        Ok(route) => KernelPeer {
            source: convert::address(route.source),
            interface: route.interface,
            // IPv6 towards peers is not steered yet.
            usable: u16::from(peer.address.is_ipv4() && matches!(route.source, IpAddr::V4(_))),
            ..nowhere
        },
        Err(e) => {
            tracing::debug!("no route to peer {} ({}): {e}", peer.name, peer.address);
            nowhere
        }
    }
}

/// Whether the route to a peer need not be asked for again.
fn same_place(a: &Peer, b: &Peer) -> bool {
    (a.address, a.data_port) == (b.address, b.data_port)
}

impl Kernel {
    /// Makes these the peers. Cheap where nothing changes: then no route is asked for and nothing is written.
    pub(super) fn put_peers(&mut self, peers: &[Peer]) -> Result<(), DataPlaneError> {
        let mut wanted = BTreeMap::new();
        for peer in peers {
            let (number, lost) =
                self.peer_labels.assign(&peer.name, |name| peers.iter().any(|p| p.name == name))?;
            if lost.is_some() {
                self.forget_peer(number)?;
            }
            wanted.insert(number, peer.clone());
        }
        if self.peers_written && wanted == self.known_peers {
            return Ok(());
        }
        // Should anything fail, the next call starts from nothing.
        let known = std::mem::take(&mut self.known_peers);
        let known = if std::mem::take(&mut self.peers_written) { known } else { BTreeMap::new() };
        self.remove_all_but(&wanted)?;
        for (number, peer) in &wanted {
            let place = known.get(number).is_some_and(|old| same_place(old, peer));
            let entry = if place { self.peer(*number)? } else { located(peer) };
            self.write_peer(*number, convert::admission(peer.admission, entry))?;
            self.peer_numbers
                .insert(convert::address(peer.address), *number, 0)
                .map_err(map_error("PEER_NUMBERS"))?;
        }
        (self.known_peers, self.peers_written) = (wanted, true);
        Ok(())
    }

    /// The names of the peers that an earlier agent left.
    pub(super) fn peers_left(&self) -> Result<Vec<String>, DataPlaneError> {
        let mut names = Vec::new();
        if !self.peers_written {
            for number in 1..self.peers.len() {
                if self.peer(number)? != KernelPeer::default() {
                    names.extend(self.peer_labels.name(number).map(str::to_owned));
                }
            }
        }
        Ok(names)
    }

    /// Brings the peers' entries in line with the routes of the moment.
    pub(super) fn follow_routes(&mut self) -> Result<(), DataPlaneError> {
        let entries: Vec<(u32, KernelPeer)> = self
            .known_peers
            .iter()
            .map(|(number, peer)| (*number, convert::admission(peer.admission, located(peer))))
            .collect();
        entries.into_iter().try_for_each(|(number, entry)| self.write_peer(number, entry))
    }

    fn peer(&self, number: u32) -> Result<KernelPeer, DataPlaneError> {
        self.peers.get(&number, 0).map_err(map_error("PEERS"))
    }

    fn write_peer(&mut self, number: u32, entry: KernelPeer) -> Result<(), DataPlaneError> {
        if self.peer(number)? == entry {
            return Ok(());
        }
        self.peers.set(number, entry, 0).map_err(map_error("PEERS"))
    }

    /// Removes every peer that is not wanted, its address first, so that it is a stranger before it has no limits.
    fn remove_all_but(&mut self, wanted: &BTreeMap<u32, Peer>) -> Result<(), DataPlaneError> {
        let addresses: BTreeSet<Address> = wanted.values().map(|p| convert::address(p.address)).collect();
        let present: Vec<(Address, u32)> =
            self.peer_numbers.iter().collect::<Result<_, _>>().map_err(map_error("PEER_NUMBERS"))?;
        for (address, _) in present.iter().filter(|(a, _)| !addresses.contains(a)) {
            self.peer_numbers.remove(address).map_err(map_error("PEER_NUMBERS"))?;
        }
        for number in (1..self.peers.len()).filter(|number| !wanted.contains_key(number)) {
            self.write_peer(number, KernelPeer::default())?;
        }
        Ok(())
    }
}
