//! The peers of this node, whether a file or the overlay tells of them.

use std::net::SocketAddr;
use std::time::Duration;

use dfaas_control::{NodeId, PeerFunctions};

use crate::config::StaticPeer;
use crate::federation::{Federation, FederationPeer};

/// A node that invocations are taken from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RosterPeer {
    /// Its number for strategies.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its data port.
    pub at: SocketAddr,
    /// Its weight among the peers.
    pub share: f64,
    /// Whether invocations may be sent to it.
    pub takes: bool,
    /// Round-trip time, if it is measured.
    pub rtt: Option<Duration>,
    /// What it serves.
    pub functions: PeerFunctions,
    /// The names of what it serves, as far as it told.
    pub function_names: Vec<String>,
}

/// Static peers first, then those of the overlay by name.
pub(super) fn roster(statics: &[StaticPeer], federation: Option<&Federation>) -> Vec<RosterPeer> {
    let overlay = federation.map(Federation::peers).unwrap_or_default();
    statics.iter().map(of_file).chain(overlay.into_iter().map(of_overlay)).collect()
}

fn of_file(peer: &StaticPeer) -> RosterPeer {
    RosterPeer {
        node: NodeId::from_name(&peer.name),
        name: peer.name.clone(),
        at: SocketAddr::new(peer.address, peer.data_port),
        share: peer.share,
        takes: true,
        rtt: None,
        functions: PeerFunctions::Unknown,
        function_names: Vec::new(),
    }
}

fn of_overlay(peer: FederationPeer) -> RosterPeer {
    RosterPeer {
        node: peer.node,
        at: peer.at,
        share: peer.share,
        takes: peer.takes,
        rtt: peer.rtt,
        functions: PeerFunctions::Known(peer.function_ids()),
        name: peer.name,
        function_names: peer.functions,
    }
}
