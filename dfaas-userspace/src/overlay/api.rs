use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, watch};

use super::beat::{Beat, Card, Nonce};

/// The agent's end of the overlay. The task behind it ends when `orders` is dropped.
#[derive(Debug)]
pub struct Overlay {
    /// The identity of this node.
    pub id: PeerId,
    /// What happens, in order. Beats are left out, and counted, while it is full; the rest waits.
    pub events: mpsc::Receiver<Event>,
    /// What the agent wants; an order that finds it full is lost, as a beat may be.
    pub orders: mpsc::Sender<Order>,
    /// How the overlay is; changes at most once a second.
    pub status: watch::Receiver<Arc<Status>>,
}

/// Something that happened to the overlay.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Beats can be sent to this node from now on, or its addresses changed.
    Linked {
        /// The node, authenticated.
        peer: PeerId,
        /// The remote IP addresses of the connections to it; empty on transports without any.
        addresses: Vec<IpAddr>,
    },
    /// The last connection to this node is gone, or it wants no link any more.
    Unlinked {
        /// The node.
        peer: PeerId,
    },
    /// A beat that is well-formed and within bounds; whether it is news is for the agent to judge.
    Beat {
        /// Who sent it, authenticated.
        peer: PeerId,
        /// What it says.
        beat: Box<Beat>,
    },
    /// The round-trip time to a node was measured.
    Rtt {
        /// The node.
        peer: PeerId,
        /// The time.
        rtt: Duration,
    },
    /// A nonce came to the data port. It goes back in a beat to who is named, and nowhere else.
    Probed {
        /// Who claims to have sent it: not authenticated.
        by: PeerId,
        /// The nonce.
        nonce: Nonce,
    },
}

/// Something that the agent wants of the overlay.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// Send a beat; it replaces one to the same node that has not been sent yet.
    Beat {
        /// To whom.
        to: PeerId,
        /// What it says.
        beat: Box<Beat>,
    },
    /// Send a nonce as a datagram to a node's data port.
    Probe {
        /// Its address and data port.
        to: SocketAddr,
        /// The nonce.
        nonce: Nonce,
    },
    /// What this node says of itself to those who do not know it yet; from now on, until the next such order.
    Describe {
        /// Its card.
        card: Box<Card>,
        /// The digest of the card.
        digest: u64,
        /// Its agent's incarnation.
        incarnation: u64,
    },
    /// Once a period: what each neighbour gives while this node's demand is not met (who is missing gives nothing), or
    /// `None` when it is met. Neighbours that do not help are replaced.
    Demand {
        /// The worth of each.
        unmet: Option<BTreeMap<PeerId, f64>>,
    },
    /// A beat of this node was well-formed and yet wrong: its standing falls.
    Offence {
        /// The node.
        peer: PeerId,
        /// What it did.
        offence: Offence,
    },
}

/// What a node can do wrong. Each costs it standing; one without standing is disconnected and shut out for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offence {
    /// A frame that is no beat of a known version, or one with impossible values.
    Malformed,
    /// A frame that is longer than any beat.
    Oversized,
    /// More beats than anybody needs.
    Flood,
    /// A beat that was there before.
    Replayed,
    /// A claim about somebody else, or an address or a signature that is not the sender's.
    Forged,
    /// A record of membership that has expired.
    Stale,
}

impl Offence {
    /// Every offence.
    pub const ALL: [Self; 6] =
        [Self::Malformed, Self::Oversized, Self::Flood, Self::Replayed, Self::Forged, Self::Stale];

    /// Its word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Oversized => "oversized",
            Self::Flood => "flood",
            Self::Replayed => "replayed",
            Self::Forged => "forged",
            Self::Stale => "stale",
        }
    }
}

/// How the overlay is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Addresses at which it listens, each ending with this node's id.
    pub listening: Vec<Multiaddr>,
    /// Nodes of the federation that it has heard of, itself not among them; a bounded number.
    pub members: usize,
    /// Signed records of nodes that it keeps.
    pub records: usize,
    /// Nodes to which there is a connection, for whatever reason.
    pub connected: usize,
    /// Neighbours given up because demand was not met with them.
    pub replaced: u64,
    /// Addresses of this node behind address translation, as others see it.
    pub external: Vec<Multiaddr>,
    /// Nodes to which there is a link.
    pub links: BTreeMap<PeerId, Link>,
    /// Beats received and sent.
    pub beats: (u64, u64),
    /// Bytes of beats and exchanges received and sent, with their framing.
    pub bytes: (u64, u64),
    /// Offences by kind; connections that were refused: `not_allowed`, `handshake`, `shut_out`, `limit` (links too);
    /// and what was left out: `unknown_version` (frames), `probe` (datagrams that are none, or of nodes without a
    /// link), `unread` (beats for which the agent had no room).
    pub refused: BTreeMap<&'static str, u64>,
    /// Why bootstrapping does not get on; `None` while there are links or nobody to find.
    pub bootstrap_error: Option<String>,
}

/// A link to one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The address of a connection to it.
    pub address: Multiaddr,
    /// The last round-trip time.
    pub rtt: Option<Duration>,
    /// 1: nothing wrong; 0: about to be shut out.
    pub standing: f64,
}
