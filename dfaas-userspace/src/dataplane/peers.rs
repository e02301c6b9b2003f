//! The peers: where they are, how they are reached, what is taken from them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use dfaas_common::MAX_PEERS;
use dfaas_common::address::Address;
use dfaas_common::config::Peer as KernelPeer;

use super::backend::{links, located};
use super::kernel::{Kernel, map_error};
use super::link::Links;
use super::{DataPlaneError, Peer, convert};

/// Where a peer's data port is.
fn at(peer: &Peer) -> SocketAddr {
    SocketAddr::new(peer.address, peer.data_port)
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
        let links = links()?;
        for (number, peer) in &wanted {
            let stays = known.get(number).is_some_and(|old| at(old) == at(peer));
            let place = if stays { self.entry(*number)? } else { located(&peer.name, at(peer), &links) };
            self.write_entry(*number, convert::admission(peer.admission, place))?;
            self.peer_numbers
                .insert(convert::address(peer.address), *number, 0)
                .map_err(map_error("PEER_NUMBERS"))?;
        }
        (self.known_peers, self.peers_written) = (wanted, true);
        self.survey(&links)
    }

    /// The names of the peers that an earlier agent left.
    pub(super) fn peers_left(&self) -> Result<Vec<String>, DataPlaneError> {
        let mut names = Vec::new();
        if !self.peers_written {
            for number in 1..=MAX_PEERS {
                if self.entry(number)? != KernelPeer::default() {
                    names.extend(self.peer_labels.name(number).map(str::to_owned));
                }
            }
        }
        Ok(names)
    }

    /// Brings the peers' entries in line with the routes of the moment.
    pub(super) fn follow_peers(&mut self, links: &Links) -> Result<(), DataPlaneError> {
        let entries: Vec<(u32, KernelPeer)> = self
            .known_peers
            .iter()
            .map(|(number, peer)| {
                (*number, convert::admission(peer.admission, located(&peer.name, at(peer), links)))
            })
            .collect();
        entries.into_iter().try_for_each(|(number, entry)| self.write_entry(number, entry))
    }

    /// Removes every peer that is not wanted, its address first, so that it is a stranger before it has no limits.
    fn remove_all_but(&mut self, wanted: &BTreeMap<u32, Peer>) -> Result<(), DataPlaneError> {
        let addresses: BTreeSet<Address> = wanted.values().map(|p| convert::address(p.address)).collect();
        let present: Vec<(Address, u32)> =
            self.peer_numbers.iter().collect::<Result<_, _>>().map_err(map_error("PEER_NUMBERS"))?;
        for (address, _) in present.iter().filter(|(a, _)| !addresses.contains(a)) {
            self.peer_numbers.remove(address).map_err(map_error("PEER_NUMBERS"))?;
        }
        for number in (1..=MAX_PEERS).filter(|number| !wanted.contains_key(number)) {
            self.write_entry(number, KernelPeer::default())?;
        }
        Ok(())
    }
}
