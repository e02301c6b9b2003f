//! The ways to serve that are compared.

use serde::{Deserialize, Serialize};

/// Who serves a request, and how it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The node's own gateway; no program is attached.
    Direct,
    /// The node's own gateway, by the data plane.
    Local,
    /// A peer's gateway, by the data planes of both nodes.
    Peer,
    /// Another node's gateway, by a proxy in user space; no program is attached.
    Haproxy,
}

impl Way {
    /// All of them; the first is what the others are compared with.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Local, Self::Peer, Self::Haproxy];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Local => "local",
            Self::Peer => "peer",
            Self::Haproxy => "haproxy",
        }
    }

    /// The node of the lab that its users call.
    pub(super) fn called(self) -> u8 {
        match self {
            Self::Direct => 1,
            Self::Local => 2,
            Self::Peer => 3,
            Self::Haproxy => 5,
        }
    }

    /// The node whose gateway answers.
    pub(super) fn serving(self) -> u8 {
        match self {
            Self::Direct | Self::Local => self.called(),
            Self::Peer | Self::Haproxy => self.called() + 1,
        }
    }

    /// How the data plane of the called node names the backend that it sends everything to; `None` without one.
    pub(super) fn backend(self) -> Option<String> {
        match self {
            Self::Direct | Self::Haproxy => None,
            Self::Local => Some("local".to_owned()),
            Self::Peer => Some(crate::settings::node_name(self.serving())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_node_has_a_part_in_two_ways() {
        let nodes: Vec<_> =
            Way::ALL.iter().flat_map(|way| BTreeSet::from([way.called(), way.serving()])).collect();
        assert_eq!(nodes, [1, 2, 3, 4, 5, 6]);
    }
}
