use std::collections::BTreeMap;
use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Nodes that have to agree on an address: one alone could send others anywhere.
const AGREE: usize = 2;
/// Most nodes whose word is kept.
const MOST: usize = 64;

/// Where others see this node: its addresses behind address translation.
#[derive(Debug, Default)]
pub(super) struct Observed(BTreeMap<PeerId, IpAddr>);

impl Observed {
    /// A node says from which address this one came to it.
    pub(super) fn says(&mut self, peer: PeerId, ip: IpAddr) {
        if self.0.len() < MOST || self.0.contains_key(&peer) {
            self.0.insert(peer, ip);
        }
    }

    /// A node is gone, and its word with it.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }

    /// Addresses that enough nodes agree on, with the ports of `listening`; those where it listens anyway are left out.
    pub(super) fn external(&self, listening: &[Multiaddr]) -> Vec<Multiaddr> {
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        self.0.values().for_each(|ip| *counts.entry(*ip).or_default() += 1);
        let own = |ip: &IpAddr| listening.iter().any(|address| super::address::ip(address) == Some(*ip));
        let agreed = counts.into_iter().filter(|(ip, count)| *count >= AGREE && !own(ip));
        let mut external: Vec<Multiaddr> =
            agreed.flat_map(|(ip, _)| listening.iter().filter_map(move |address| at(address, ip))).collect();
        external.sort();
        external.dedup();
        external
    }
}

/// The address with another IP of the same family.
fn at(address: &Multiaddr, ip: IpAddr) -> Option<Multiaddr> {
    let first = match (address.iter().next()?, ip) {
        (Protocol::Ip4(_), IpAddr::V4(ip)) => Protocol::Ip4(ip),
        (Protocol::Ip6(_), IpAddr::V6(ip)) => Protocol::Ip6(ip),
        _ => return None,
    };
    let rest = address.iter().skip(1).filter(|part| !matches!(part, Protocol::P2p(_)));
    Some(std::iter::once(first).chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nodes_that_agree_tell_where_a_node_is_and_one_does_not() {
        let listening: Vec<Multiaddr> =
            ["/ip4/10.0.0.2/tcp/31600", "/ip4/10.0.0.2/udp/31600/quic-v1", "/ip6/::1/tcp/1"]
                .map(|text| text.parse().unwrap())
                .into();
        let (a, b, ip): (_, _, IpAddr) =
            (PeerId::random(), PeerId::random(), "198.51.100.7".parse().unwrap());
        let mut observed = Observed::default();
        observed.says(a, ip);
        observed.says(a, ip);
        assert!(observed.external(&listening).is_empty());
        observed.says(b, ip);
        let texts: Vec<String> = observed.external(&listening).iter().map(Multiaddr::to_string).collect();
        assert_eq!(texts, ["/ip4/198.51.100.7/tcp/31600", "/ip4/198.51.100.7/udp/31600/quic-v1"]);
        observed.says(b, "10.0.0.2".parse().unwrap());
        observed.says(a, "10.0.0.2".parse().unwrap());
        assert!(observed.external(&listening).is_empty(), "it listens there");
        observed.says(a, ip);
        observed.says(b, ip);
        observed.forget(&a);
        assert!(observed.external(&listening).is_empty());
    }
}
