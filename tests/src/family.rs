//! IPv4 and IPv6: over which of them users and other nodes reach a node.

use std::net::{IpAddr, SocketAddr};

use crate::names::{node_address, node_address6, peer_address, peer_address6, user_address, user_address6};
use crate::settings::INVOCATION_PORT;

/// Over which families a node is called. Every node has addresses of both, whatever it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// IPv4 from users and between nodes.
    #[default]
    V4,
    /// IPv6 from users and between nodes.
    V6,
    /// IPv4 from users, IPv6 between nodes.
    V4OverV6,
    /// IPv6 from users, IPv4 between nodes.
    V6OverV4,
    /// Both from users, IPv4 between nodes.
    Both,
    /// Both from users, IPv6 between nodes.
    BothOverV6,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::V4, Self::V6, Self::V4OverV6, Self::V6OverV4, Self::Both, Self::BothOverV6];

    /// Its name in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
            Self::V4OverV6 => "ipv4-over-ipv6",
            Self::V6OverV4 => "ipv6-over-ipv4",
            Self::Both => "both-over-ipv4",
            Self::BothOverV6 => "both-over-ipv6",
        }
    }

    /// Whether users call by IPv4, and whether by IPv6.
    fn users(self) -> (bool, bool) {
        match self {
            Self::V4 | Self::V4OverV6 => (true, false),
            Self::V6 | Self::V6OverV4 => (false, true),
            Self::Both | Self::BothOverV6 => (true, true),
        }
    }

    /// Whether it is IPv6 between nodes.
    pub fn data_is_v6(self) -> bool {
        matches!(self, Self::V6 | Self::V4OverV6 | Self::BothOverV6)
    }

    fn of_users(self, v4: IpAddr, v6: IpAddr) -> Vec<IpAddr> {
        let (by_v4, by_v6) = self.users();
        by_v4.then_some(v4).into_iter().chain(by_v6.then_some(v6)).collect()
    }

    /// Addresses at which the users beside node `index` (from 1) call it, IPv4 first.
    pub fn node_addresses(self, index: u8) -> Vec<SocketAddr> {
        let addresses = self.of_users(node_address(index).into(), node_address6(index).into());
        addresses.into_iter().map(|ip| SocketAddr::new(ip, INVOCATION_PORT)).collect()
    }

    /// The first of them.
    pub fn node_address(self, index: u8) -> SocketAddr {
        let ip = match self.users() {
            (true, _) => node_address(index).into(),
            (false, _) => node_address6(index).into(),
        };
        SocketAddr::new(ip, INVOCATION_PORT)
    }

    /// The addresses of user number `user` (from 0) beside node `index`, in the order of the node's.
    pub fn user_addresses(self, index: u8, user: u8) -> Vec<IpAddr> {
        self.of_users(user_address(index, user).into(), user_address6(index, user).into())
    }

    /// The address at which other nodes reach node `index`.
    pub fn peer_address(self, index: u8) -> IpAddr {
        if self.data_is_v6() { peer_address6(index).into() } else { peer_address(index).into() }
    }

    /// Where the gateway of node `index` listens: where users call; and, if that is of one family and other nodes come
    /// over the other, at the address to which these send.
    pub fn gateway_addresses(self, index: u8) -> Vec<SocketAddr> {
        let mut addresses = self.node_addresses(index);
        let peers = SocketAddr::new(self.peer_address(index), INVOCATION_PORT);
        if addresses.iter().all(|address| address.is_ipv6() != peers.is_ipv6()) {
            addresses.push(peers);
        }
        addresses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_is_the_one_that_stands_first() {
        for family in Family::ALL {
            assert_eq!(family.node_addresses(3).first(), Some(&family.node_address(3)), "{family:?}");
            assert_eq!(family.node_addresses(3).len(), family.user_addresses(3, 0).len(), "{family:?}");
        }
    }

    #[test]
    fn a_gateway_listens_where_users_call_and_where_invocations_of_peers_are_delivered() {
        let listens = |family: Family| {
            let all = family.gateway_addresses(2);
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(listens(Family::V4), "10.77.2.1:8080");
        assert_eq!(listens(Family::V6), "[fd77:2::1]:8080");
        assert_eq!(listens(Family::V4OverV6), "10.77.2.1:8080 [fd77::2]:8080");
        assert_eq!(listens(Family::V6OverV4), "[fd77:2::1]:8080 10.77.0.2:8080");
        assert_eq!(listens(Family::Both), "10.77.2.1:8080 [fd77:2::1]:8080");
        assert_eq!(listens(Family::BothOverV6), listens(Family::Both));
    }
}
