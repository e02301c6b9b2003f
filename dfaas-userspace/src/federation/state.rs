use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use dfaas_control::{Incarnation, NodeId, PeerTable, Time};
use libp2p::PeerId;

use super::member::{Member, digest};
use super::names::Names;
use crate::config::OverlayPeer;
use crate::overlay::Card;

/// What the federation is told of this node at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What it says of itself, functions apart.
    pub card: Card,
    /// Time between its beats.
    pub period: Duration,
    /// First guess of its incarnation: milliseconds of the wall clock.
    pub incarnation: u64,
    /// What the configuration says of single nodes.
    pub pins: BTreeMap<PeerId, OverlayPeer>,
    /// Names that no node of the overlay gets: this node's, and those of static peers.
    pub reserved_names: Vec<String>,
    /// Addresses of static peers and of this node, where no node of the overlay is.
    pub reserved_addresses: BTreeSet<IpAddr>,
}

/// The federation as this node sees it.
#[derive(Debug)]
pub struct Federation {
    pub(super) period: Duration,
    pub(super) card: Card,
    pub(super) digest: u64,
    pub(super) incarnation: Incarnation,
    pub(super) sequence: u64,
    pub(super) leaving: bool,
    pub(super) draining: bool,
    pub(super) table: PeerTable,
    pub(super) names: Names,
    pub(super) reserved: BTreeSet<IpAddr>,
    /// The nodes that the data plane takes invocations from, as it was told last.
    pub(super) told: BTreeSet<PeerId>,
    /// Beats from before, or of an older incarnation: two agents with one identity, or a clock that went back.
    pub(super) stale: u64,
    pub(super) members: BTreeMap<PeerId, Member>,
    pub(super) pins: BTreeMap<PeerId, OverlayPeer>,
    pub(super) left: BTreeSet<PeerId>,
    /// Card (by its digest) and incarnation that the overlay was told of last.
    pub(super) described: Option<(u64, u64)>,
}

impl Federation {
    /// A node that knows nobody yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            period: settings.period,
            digest: digest(&settings.card),
            card: settings.card,
            incarnation: Incarnation::new(settings.incarnation),
            sequence: 0,
            leaving: false,
            draining: false,
            table: PeerTable::default(),
            names: Names::new(settings.reserved_names),
            reserved: settings.reserved_addresses,
            told: BTreeSet::new(),
            stale: 0,
            members: BTreeMap::new(),
            pins: settings.pins,
            left: BTreeSet::new(),
            described: None,
        }
    }

    /// Whether another agent seems to use this node's identity. Until that is over, nothing is sent to anybody.
    pub fn conflict(&self, now: Time) -> bool {
        self.incarnation.conflict(now)
    }

    /// Beats that were older than what was known of their sender.
    pub fn stale_beats(&self) -> u64 {
        self.stale
    }

    /// The next moment at which a peer's beats will have been missing for too long.
    pub fn next_expiry(&self) -> Option<Time> {
        self.table.next_expiry()
    }

    /// The nodes from which the data plane is to take invocations, with their data ports.
    pub fn admitted(&self) -> BTreeMap<PeerId, SocketAddr> {
        let admitted = |(id, member): (&PeerId, &Member)| Some((*id, member.admitted(self.living(member))?));
        self.members.iter().filter_map(admitted).collect()
    }

    pub(super) fn living(&self, member: &Member) -> bool {
        self.table.lives(member.node)
    }

    pub(super) fn member(&mut self, peer: PeerId) -> &mut Member {
        let id = peer.to_base58();
        self.members.entry(peer).or_insert_with(|| Member::new(NodeId::from_name(&id), id))
    }
}
