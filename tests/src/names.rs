//! Names and addresses of what a lab makes. A lab's name carries the process that owns it, so that whatever a dead
//! run left behind can be told from what a living one uses.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Most nodes of one lab: a node's index is a byte of its addresses.
pub(crate) const MAX_NODES: u8 = 200;

/// Most addresses of the users beside one node.
pub(crate) const MAX_USERS: u8 = 200;

/// `dfl<process>-<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LabName {
    /// Process that owns the lab.
    pub(crate) pid: u32,
    /// Counts the labs of that process.
    pub(crate) number: u32,
}

impl LabName {
    /// The lab that a namespace, folder or pin belongs to, if its name is of the form that labs give.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("dfl")?.split('-');
        let pid = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        Some(Self { pid, number })
    }

    /// What the names of all namespaces of this lab start with.
    pub(crate) fn prefix(self) -> String {
        format!("{self}-")
    }

    /// What the names of all pinned folders of this lab start with.
    pub(crate) fn pin_prefix(self) -> String {
        format!("{PIN}{self}-")
    }
}

/// What the names of pinned folders start with, before the name of the lab.
pub(crate) const PIN: &str = "dfaas-";

impl fmt::Display for LabName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dfl{}-{}", self.pid, self.number)
    }
}

/// Address of node `index` (from 1) on the network between the nodes.
pub fn peer_address(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, index)
}

/// Address at which the users beside node `index` (from 1) call it.
pub fn node_address(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, index, 1)
}

/// Address number `user` (from 0) of the users beside node `index` (from 1).
pub fn user_address(index: u8, user: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, index, 10u8.saturating_add(user))
}

/// Address of the container behind node `index` (from 1), on a network of these two.
pub fn container_address(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 78, index, 2)
}

/// The IPv6 address of node `index` (from 1) on the network between the nodes.
pub fn peer_address6(index: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, index.into())
}

/// The IPv6 address at which the users beside node `index` (from 1) call it.
pub fn node_address6(index: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd77, index.into(), 0, 0, 0, 0, 0, 1)
}

/// IPv6 address number `user` (from 0) of the users beside node `index` (from 1).
pub fn user_address6(index: u8, user: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd77, index.into(), 0, 0, 0, 0, 0, 0x10 + u16::from(user))
}

/// The IPv6 address of the container behind node `index` (from 1).
pub fn container_address6(index: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd78, index.into(), 0, 0, 0, 0, 0, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_is_read_back_from_the_names_of_its_namespaces() {
        let lab = LabName { pid: 4711, number: 2 };
        assert_eq!(lab.to_string(), "dfl4711-2");
        assert_eq!(LabName::of("dfl4711-2-n1"), Some(lab));
        assert_eq!(LabName::of("dfl4711-2"), Some(lab));
    }

    #[test]
    fn names_of_others_belong_to_no_lab() {
        for name in ["", "dfl", "dfl-1", "dflx-1-n1", "dfl12", "default", "dfl12-x-n1"] {
            assert_eq!(LabName::of(name), None, "{name}");
        }
    }

    #[test]
    fn prefixes_do_not_match_labs_with_longer_numbers() {
        let lab = LabName { pid: 1, number: 1 };
        assert!(!"dfl1-11-n1".starts_with(&lab.prefix()));
        assert!(!"dfl11-1-n1".starts_with(&lab.prefix()));
    }
}
