//! In which IP family users reach the node and in which nodes reach each other, and who is where.
//!
//! The node has both families, whatever a story uses. IPv6 addresses fill all their words, so that a word in the wrong
//! place shows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::segment::End;

/// An IP family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// An address of the prefix 2001:db8:`network`::/64.
const fn v6(network: u16, host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0x11, 0x22, 0x33, host))
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    const fn either<T: Copy>(self, four: T, six: T) -> T {
        match self {
            Self::V4 => four,
            Self::V6 => six,
        }
    }

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The node.
    pub const fn node(self) -> IpAddr {
        self.either(v4(192, 0, 2, 1), v6(2, 1))
    }

    /// Peers, numbers 1 and 2.
    pub const fn peers(self) -> [IpAddr; 2] {
        self.either([v4(198, 51, 100, 1), v4(198, 51, 100, 2)], [v6(100, 1), v6(100, 2)])
    }

    /// A user.
    pub const fn user(self) -> IpAddr {
        self.either(v4(203, 0, 113, 7), v6(113, 7))
    }

    /// Somebody in the users' prefix who may not use the node.
    pub const fn excluded(self) -> IpAddr {
        self.either(v4(203, 0, 113, 66), v6(113, 66))
    }

    /// Somebody outside the users' prefix.
    pub const fn foreigner(self) -> IpAddr {
        self.either(v4(203, 0, 114, 7), v6(114, 7))
    }

    /// Length of the users' prefix in the map of users, whose keys are IPv6.
    pub const fn users_prefix(self) -> u32 {
        self.either(96 + 24, 64)
    }

    /// Where users come in.
    pub const fn listen(self) -> End {
        (self.node(), 8080)
    }

    /// Where peers come in.
    pub const fn data(self) -> End {
        (self.node(), 31601)
    }

    /// Segment size of a link of 1500 bytes.
    pub const fn segment_size(self) -> u16 {
        self.either(1460, 1440)
    }
}

/// Who speaks what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// Between users and the node.
    pub users: Family,
    /// Between the node and its peers.
    pub nodes: Family,
    /// Whether native XDP is in front of the other programs.
    pub xdp: bool,
}

impl World {
    pub const V4: Self = Self { users: Family::V4, nodes: Family::V4, xdp: false };
    pub const V6: Self = Self { users: Family::V6, nodes: Family::V6, xdp: false };
    pub const V4_USERS_OVER_V6: Self = Self { users: Family::V4, nodes: Family::V6, xdp: false };
    pub const V6_USERS_OVER_V4: Self = Self { users: Family::V6, nodes: Family::V4, xdp: false };

    /// The same with native XDP in front.
    pub const fn behind_xdp(self) -> Self {
        Self { xdp: true, ..self }
    }

    /// Where users come in, and where the gateway listens.
    pub const fn listen(self) -> End {
        self.users.listen()
    }

    /// Where peers come in.
    pub const fn data(self) -> End {
        self.nodes.data()
    }

    /// Where the gateway takes what comes from peers.
    pub const fn gateway(self) -> End {
        self.nodes.listen()
    }

    /// A user.
    pub const fn user(self) -> End {
        (self.users.user(), 40_000)
    }

    /// Peers, numbers 1 and 2.
    pub const fn peers(self) -> [IpAddr; 2] {
        self.nodes.peers()
    }

    /// The data port of a peer, by its number.
    pub const fn data_of(self, number: usize) -> End {
        (self.peers()[number - 1], self.data().1)
    }
}

/// Makes tests of these stories, functions of a [`World`], one for each world; their names tell it.
macro_rules! in_every_world {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[test]
            fn v4() {
                super::$story($crate::world::World::V4);
            }
            #[test]
            fn v6() {
                super::$story($crate::world::World::V6);
            }
            #[test]
            fn v4_users_over_v6() {
                super::$story($crate::world::World::V4_USERS_OVER_V6);
            }
            #[test]
            fn v6_users_over_v4() {
                super::$story($crate::world::World::V6_USERS_OVER_V4);
            }
            #[test]
            fn v4_behind_xdp() {
                super::$story($crate::world::World::V4.behind_xdp());
            }
            #[test]
            fn v6_behind_xdp() {
                super::$story($crate::world::World::V6.behind_xdp());
            }
        }
    )*};
}
pub(crate) use in_every_world;

/// As `in_every_world`, for stories in which users and nodes never meet.
macro_rules! in_both_families {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[test]
            fn v4() {
                super::$story($crate::world::World::V4);
            }
            #[test]
            fn v6() {
                super::$story($crate::world::World::V6);
            }
            #[test]
            fn v4_behind_xdp() {
                super::$story($crate::world::World::V4.behind_xdp());
            }
            #[test]
            fn v6_behind_xdp() {
                super::$story($crate::world::World::V6.behind_xdp());
            }
        }
    )*};
}
pub(crate) use in_both_families;

/// As `in_every_world`, for stories that choose families themselves.
macro_rules! with_and_without_xdp {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[test]
            fn without_xdp() {
                super::$story($crate::world::World::V4);
            }
            #[test]
            fn behind_xdp() {
                super::$story($crate::world::World::V4.behind_xdp());
            }
        }
    )*};
}
pub(crate) use with_and_without_xdp;
