use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use dfaas_control::{FunctionId, NodeId};
use libp2p::PeerId;

use super::member::Standing;
use super::state::Federation;

/// A node from which invocations are taken, and to which they may be sent if it takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct FederationPeer {
    /// Its number for strategies.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its data port.
    pub at: SocketAddr,
    /// Whether it takes invocations from this node.
    pub takes: bool,
    /// Its weight among the peers.
    pub share: f64,
    /// Round-trip time.
    pub rtt: Option<Duration>,
    /// What it serves.
    pub functions: Vec<String>,
}

impl FederationPeer {
    /// The numbers of what it serves.
    pub fn function_ids(&self) -> BTreeSet<FunctionId> {
        self.functions.iter().map(|name| FunctionId::from_name(name)).collect()
    }
}

/// A node of the overlay for those who look.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberView {
    /// Its identity.
    pub id: PeerId,
    /// Its name.
    pub name: String,
    /// Its region; may be empty.
    pub region: String,
    /// How far it is from being a peer.
    pub standing: Standing,
    /// Its data port, if it is proven.
    pub at: Option<SocketAddr>,
    /// Its weight among the peers.
    pub share: f64,
    /// Round-trip time.
    pub rtt: Option<Duration>,
    /// When its last beat came, on the agent's clock.
    pub heard: Option<dfaas_control::Time>,
    /// What it serves.
    pub functions: Vec<String>,
}

impl MemberView {
    /// Whether invocations may be sent to it.
    pub fn takes(&self) -> bool {
        self.standing == Standing::Peer
    }

    /// Whether invocations go to it or come from it.
    pub fn is_peer(&self) -> bool {
        matches!(self.standing, Standing::Peer | Standing::Admitted)
    }
}

impl Federation {
    /// The nodes from which invocations are taken, by name.
    pub fn peers(&self) -> Vec<FederationPeer> {
        let peer = |(id, at): (PeerId, SocketAddr)| {
            let member = self.members.get(&id)?;
            Some(FederationPeer {
                node: member.node,
                name: member.label.clone(),
                at,
                takes: member.admits_us,
                share: self.share(&id),
                rtt: member.rtt,
                functions: member.card.as_ref().map(|(_, card)| card.functions.clone()).unwrap_or_default(),
            })
        };
        let mut peers: Vec<FederationPeer> = self.admitted().into_iter().filter_map(peer).collect();
        peers.sort_by(|a, b| a.name.cmp(&b.name));
        peers
    }

    /// Every node that is linked or was heard of lately, by name.
    pub fn views(&self) -> Vec<MemberView> {
        let view = |(id, member): (&PeerId, &super::member::Member)| MemberView {
            id: *id,
            name: member.label.clone(),
            region: member.card.as_ref().map(|(_, card)| card.region.clone()).unwrap_or_default(),
            standing: member.standing(self.living(member), self.left.contains(id)),
            at: member.place.proven(),
            share: self.share(id),
            rtt: member.rtt,
            heard: member.heard,
            functions: member.card.as_ref().map(|(_, card)| card.functions.clone()).unwrap_or_default(),
        };
        let mut views: Vec<MemberView> = self.members.iter().map(view).collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }

    /// The identities of the nodes with these names.
    pub fn ids_of(&self, names: &BTreeSet<String>) -> BTreeSet<PeerId> {
        self.members.iter().filter(|(_, member)| names.contains(&member.label)).map(|(id, _)| *id).collect()
    }

    fn share(&self, id: &PeerId) -> f64 {
        self.pins.get(id).map_or(1.0, |pin| pin.share)
    }
}
