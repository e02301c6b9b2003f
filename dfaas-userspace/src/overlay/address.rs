//! What multiaddresses say.

use std::net::IpAddr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// The IP address in it, if there is one.
pub(super) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        // What a socket for both families shows of an IPv4 peer.
        Protocol::Ip6(ip) => Some(ip.to_canonical()),
        _ => None,
    })
}

/// Without the peer id at its end.
pub(super) fn bare(mut address: Multiaddr) -> Multiaddr {
    if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
        address.pop();
    }
    address
}

/// With this peer id at its end.
pub(super) fn with_id(address: Multiaddr, peer: PeerId) -> Multiaddr {
    bare(address).with(Protocol::P2p(peer))
}

/// Whether a node may be looked for at an address that was heard of from a node at `source`: TCP or QUIC at an address
/// that can be one node's, and at this machine only if the source is there too.
pub(super) fn is_usable(address: &Multiaddr, source: &Multiaddr) -> bool {
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let known = match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(port), rest @ ..]
        | [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(port), Protocol::QuicV1, rest @ ..] => {
            *port != 0 && matches!(rest, [] | [Protocol::P2p(_)])
        }
        // Only tests have such a transport.
        [Protocol::Memory(_), rest @ ..] => ip(source).is_none() && matches!(rest, [] | [Protocol::P2p(_)]),
        _ => false,
    };
    let reachable = match ip(address) {
        Some(ip) if ip.is_unspecified() || ip.is_multicast() => false,
        Some(ip) if ip.is_loopback() => self::ip(source).is_some_and(|source| source.is_loopback()),
        // A link-local address means nothing without its interface.
        Some(IpAddr::V4(ip)) => !ip.is_link_local() && !ip.is_broadcast(),
        Some(IpAddr::V6(ip)) => !ip.is_unicast_link_local(),
        None => true,
    };
    known && reachable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_peer_id_comes_and_goes_at_the_end() {
        let peer = PeerId::random();
        let plain = address("/ip4/192.0.2.1/tcp/1");
        let full = with_id(plain.clone(), peer);
        assert_eq!(full.to_string(), format!("/ip4/192.0.2.1/tcp/1/p2p/{peer}"));
        assert_eq!(with_id(full.clone(), peer), full);
        assert_eq!(bare(full), plain);
        assert_eq!(bare(plain.clone()), plain);
    }

    #[test]
    fn an_ipv4_address_is_one_however_it_is_written() {
        assert_eq!(ip(&address("/ip6/::ffff:192.0.2.1/tcp/1")), Some([192, 0, 2, 1].into()));
        assert_eq!(ip(&address("/memory/5")), None);
    }

    #[test]
    fn only_addresses_that_can_be_a_nodes_are_used() {
        let far = address("/ip4/192.0.2.9/tcp/1");
        for good in ["/ip4/192.0.2.1/tcp/31600", "/ip4/10.0.0.1/udp/31600/quic-v1", "/ip6/2001:db8::1/tcp/1"]
        {
            assert!(is_usable(&address(good), &far), "{good}");
            assert!(is_usable(&with_id(address(good), PeerId::random()), &far), "{good}");
        }
        for bad in [
            "/ip4/0.0.0.0/tcp/1",
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/224.0.0.1/udp/1/quic-v1",
            "/ip4/169.254.1.1/tcp/1",
            "/ip4/255.255.255.255/tcp/1",
            "/ip6/::1/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/ip6/::ffff:127.0.0.1/tcp/1",
            "/ip4/192.0.2.1/tcp/0",
            "/ip4/192.0.2.1/udp/1",
            "/ip4/192.0.2.1/tcp/1/ws",
            "/dns4/example/tcp/1",
            "/memory/7",
        ] {
            assert!(!is_usable(&address(bad), &far), "{bad}");
        }
        assert!(is_usable(&address("/ip4/127.0.0.1/tcp/1"), &address("/ip4/127.0.0.1/tcp/2")));
        assert!(is_usable(&address("/memory/7"), &address("/memory/8")));
    }
}
