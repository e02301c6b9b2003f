use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use dfaas_control::{Message, NodeId, Time};

use super::place::{Disbelief, Place};
use crate::overlay::{Beat, Card, Nonce};

/// One node of the overlay, as this node knows it.
#[derive(Debug)]
pub(super) struct Member {
    /// Its number for strategies.
    pub node: NodeId,
    /// Its name in plans, metrics and commands; its id until it has told its own.
    pub label: String,
    /// Whether beats can be sent to it.
    pub linked: bool,
    /// Remote addresses of the connections to it.
    pub addresses: Vec<IpAddr>,
    /// Round-trip time, as measured last.
    pub rtt: Option<Duration>,
    /// When its last fresh beat came.
    pub heard: Option<Time>,
    /// Its card with its digest.
    pub card: Option<(u64, Card)>,
    /// Where its data port is.
    pub place: Place,
    /// Whether it takes invocations from this node.
    pub admits_us: bool,
    /// Its agent has started again: until then it is not taken at its word that it takes nothing.
    pub settles_until: Time,
    /// Digest of this node's card as it holds it.
    pub has_ours: u64,
    /// A nonce that came to this node's data port in its name.
    pub nonce: Option<Nonce>,
    /// What this node's strategy has to say to it.
    pub to_say: Option<Message>,
    /// What its strategy said last, until it is a peer that this node's strategy knows.
    pub unheard: Option<Message>,
}

/// How far a node of the overlay is from being a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Invocations go both ways.
    Peer,
    /// It may send invocations here, but does not take any from here yet.
    Admitted,
    /// Its data port has not been proven to be its own yet.
    Unproven(SocketAddr),
    /// What it says of its data port is not believed.
    Disbelieved(Disbelief),
    /// It is linked and has not told yet who it is.
    Unknown,
    /// Its beats have stopped.
    Silent,
    /// It said that it leaves.
    Left,
}

impl Member {
    pub(super) fn new(node: NodeId, label: String) -> Self {
        Self {
            node,
            label,
            linked: false,
            addresses: Vec::new(),
            rtt: None,
            heard: None,
            card: None,
            place: Place::Disbelieved(Disbelief::Unknown),
            admits_us: false,
            settles_until: Time::default(),
            has_ours: 0,
            nonce: None,
            to_say: None,
            unheard: None,
        }
    }

    /// The digest of its card, 0 if there is none.
    pub(super) fn digest(&self) -> u64 {
        self.card.as_ref().map_or(0, |(digest, _)| *digest)
    }

    /// Whether it may send invocations here: it lives, and is where it says.
    pub(super) fn admitted(&self, living: bool) -> Option<SocketAddr> {
        self.place.proven().filter(|_| living && self.card.is_some())
    }

    /// How far it is from being a peer.
    pub(super) fn standing(&self, living: bool, left: bool) -> Standing {
        if left {
            return Standing::Left;
        }
        if !living {
            return if self.heard.is_some() { Standing::Silent } else { Standing::Unknown };
        }
        if self.card.is_none() {
            return Standing::Unknown;
        }
        match &self.place {
            Place::Disbelieved(why) => Standing::Disbelieved(*why),
            Place::Asked { at, .. } => Standing::Unproven(*at),
            Place::Proven(_) if self.admits_us => Standing::Peer,
            Place::Proven(_) => Standing::Admitted,
        }
    }

    /// The beat that it gets next; `admits` tells whether the data plane takes invocations from it.
    pub(super) fn beat(&self, own: &Own<'_>, known: u64, admits: bool) -> Beat {
        Beat {
            incarnation: own.incarnation,
            sequence: own.sequence,
            known,
            period_ms: u32::try_from(own.period.as_millis()).unwrap_or(u32::MAX),
            leaving: own.leaving,
            admits: admits && !own.leaving,
            digest: own.digest,
            seen: self.digest(),
            card: (self.has_ours != own.digest).then(|| own.card.clone()),
            nonce: self.nonce,
            message: self.to_say.clone(),
        }
    }
}

/// What this node says of itself to everybody.
pub(super) struct Own<'a> {
    pub incarnation: u64,
    pub sequence: u64,
    pub period: Duration,
    pub leaving: bool,
    pub digest: u64,
    pub card: &'a Card,
}

/// Tells one card from another: 64-bit FNV-1a over its encoding; never 0.
pub(super) fn digest(card: &Card) -> u64 {
    // A card always encodes: it has no maps of unknown length, and memory is not bounded here.
    let bytes = postcard::to_stdvec(card).unwrap_or_default();
    dfaas_control::fnv1a(&bytes).max(1)
}
