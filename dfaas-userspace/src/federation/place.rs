//! Where a node's data port is: what it claims, whether the claim can be believed, and the proof.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::overlay::{Card, Nonce};

/// Why a node's claim about its data port is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disbelief {
    /// It claims nothing, and no connection to it tells an address.
    Unknown,
    /// An address that belongs to no single host on a network: loopback, link-local, multicast, unspecified.
    NotAHost(IpAddr),
    /// An address that is neither that of its connection nor one that the configuration lists for it.
    NotItsOwn(IpAddr),
    /// An address where another peer is already.
    Taken(IpAddr),
}

impl fmt::Display for Disbelief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the address of its data port is not known"),
            Self::NotAHost(ip) => write!(f, "its data address {ip} is no address of a host"),
            Self::NotItsOwn(ip) => write!(
                f,
                "its data address {ip} is not where it talks from; if it is right, list it as [[static_peer]] with its id"
            ),
            Self::Taken(ip) => write!(f, "its data address {ip} is another peer's"),
        }
    }
}

/// The data port that a node claims, if the claim may be true: at an address of its authenticated connections, or at
/// the one that the configuration lists for it.
pub(super) fn claimed(
    card: &Card,
    connections: &[IpAddr],
    listed: Option<SocketAddr>,
) -> Result<SocketAddr, Disbelief> {
    let connected = || connections.iter().find(|ip| ip.is_ipv4()).or(connections.first()).copied();
    let listed_ip = listed.map(|at| at.ip());
    let ip = card.data_address.or(listed_ip).or_else(connected).ok_or(Disbelief::Unknown)?;
    if !is_host(ip) {
        return Err(Disbelief::NotAHost(ip));
    }
    if listed_ip != Some(ip) && !connections.contains(&ip) {
        return Err(Disbelief::NotItsOwn(ip));
    }
    let own = SocketAddr::new(ip, card.data_port);
    let at = listed.filter(|listed| listed.ip() == ip).unwrap_or(own);
    if at.port() == 0 { Err(Disbelief::Unknown) } else { Ok(at) }
}

/// Whether packets to this address go to one other host.
fn is_host(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(ip.is_loopback() || ip.is_multicast() || ip.is_unspecified() || link_local)
}

/// How far the proof is that a node is where it says.
///
/// A random nonce goes as a datagram to the claimed address; the node returns it in a beat, over its authenticated
/// connection. So whoever reads at that address is the node that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// No claim that could be believed.
    Disbelieved(Disbelief),
    /// Asked, not proven.
    Asked {
        /// The claimed data port.
        at: SocketAddr,
        /// What has to come back.
        nonce: Nonce,
    },
    /// Proven.
    Proven(SocketAddr),
}

impl Place {
    /// Takes a claim; a new one has to be proven, with a nonce from `fresh`.
    pub(super) fn claim(&mut self, claim: Result<SocketAddr, Disbelief>, fresh: impl FnOnce() -> Nonce) {
        let same = match (&*self, &claim) {
            (Self::Disbelieved(old), Err(new)) => old == new,
            (Self::Asked { at, .. } | Self::Proven(at), Ok(new)) => at == new,
            _ => false,
        };
        if !same {
            *self = match claim {
                Ok(at) => Self::Asked { at, nonce: fresh() },
                Err(why) => Self::Disbelieved(why),
            };
        }
    }

    /// Takes a nonce that came back; whether it proved the claim just now.
    pub(super) fn returned(&mut self, came: Nonce) -> bool {
        match *self {
            Self::Asked { at, nonce } if nonce == came => {
                *self = Self::Proven(at);
                true
            }
            _ => false,
        }
    }

    /// The proven data port.
    pub(super) fn proven(&self) -> Option<SocketAddr> {
        match self {
            Self::Proven(at) => Some(*at),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(address: Option<&str>) -> Card {
        Card {
            name: "b".to_owned(),
            region: String::new(),
            data_address: address.map(ip),
            data_port: 31601,
            functions: Vec::new(),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_claim_the_data_port_is_where_the_node_talks_from() {
        let at = claimed(&card(None), &[ip("2001:db8::1"), ip("192.0.2.2")], None);
        assert_eq!(at, Ok("192.0.2.2:31601".parse().unwrap()));
        assert_eq!(claimed(&card(None), &[], None), Err(Disbelief::Unknown));
        let v6 = claimed(&card(None), &[ip("2001:db8::1")], None);
        assert_eq!(
            v6,
            Ok("[2001:db8::1]:31601".parse().unwrap()),
            "IPv4 comes first only where there is some"
        );
        let chosen = claimed(&card(Some("2001:db8::1")), &[ip("192.0.2.2"), ip("2001:db8::1")], None);
        assert_eq!(chosen, Ok("[2001:db8::1]:31601".parse().unwrap()));
    }

    #[test]
    fn a_claim_counts_only_for_the_nodes_own_or_a_listed_address() {
        let connections = [ip("192.0.2.2")];
        let foreign = claimed(&card(Some("198.51.100.9")), &connections, None);
        assert_eq!(foreign, Err(Disbelief::NotItsOwn(ip("198.51.100.9"))));
        let listed =
            claimed(&card(Some("198.51.100.9")), &connections, Some("198.51.100.9:99".parse().unwrap()));
        assert_eq!(listed, Ok("198.51.100.9:99".parse().unwrap()));
        let own = claimed(&card(Some("192.0.2.2")), &connections, Some("198.51.100.9:99".parse().unwrap()));
        assert_eq!(own, Ok("192.0.2.2:31601".parse().unwrap()));
    }

    #[test]
    fn no_address_that_is_not_one_hosts_is_ever_believed() {
        for text in [
            "127.0.0.1",
            "169.254.1.1",
            "224.0.0.5",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "ff02::1",
        ] {
            let address = ip(text);
            let answer = claimed(&card(Some(text)), &[address], Some(SocketAddr::new(address, 31601)));
            assert_eq!(answer, Err(Disbelief::NotAHost(address)), "{text}");
        }
        assert_eq!(
            claimed(&Card { data_port: 0, ..card(None) }, &[ip("192.0.2.2")], None),
            Err(Disbelief::Unknown)
        );
    }

    #[test]
    fn only_the_nonce_that_was_sent_proves_and_a_new_claim_asks_anew() {
        let (a, b): (SocketAddr, SocketAddr) =
            ("192.0.2.2:1".parse().unwrap(), "192.0.2.3:1".parse().unwrap());
        let mut place = Place::Disbelieved(Disbelief::Unknown);
        place.claim(Ok(a), || [1; 16]);
        assert!(!place.returned([2; 16]));
        assert_eq!(place.proven(), None);
        place.claim(Ok(a), || [3; 16]);
        assert!(place.returned([1; 16]), "the same claim keeps its nonce");
        assert!(!place.returned([1; 16]), "proven once");
        place.claim(Ok(a), || [3; 16]);
        assert_eq!(place.proven(), Some(a), "and stays proven");
        place.claim(Ok(b), || [4; 16]);
        assert_eq!(place.proven(), None);
        assert!(!place.returned([1; 16]), "an old proof proves nothing new");
    }
}
