//! With whom to exchange beats. A link is two streams, one each way, opened by their senders: who opens one seeks a
//! link, who answers with one of its own agrees, and who has no room closes it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

use super::backoff::Backoff;

/// Most links of a node: those that it seeks and those that others seek.
pub const MAX_LINKS: usize = 24;

/// How long a link may lack one of its streams before it is given up.
const GRACE: Duration = Duration::from_secs(5);
/// How long nodes are compared by round-trip time before one without any is taken.
const MEASURING: Duration = Duration::from_secs(2);
/// Waits before a broken stream is opened again.
const REOPEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(4));
/// Waits before a link that failed is sought again.
const SEEK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What is to be done to streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Open a stream to this node.
    Open(PeerId),
    /// Close the streams from and to this node.
    Close(PeerId),
}

/// Our stream to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outbound {
    Closed,
    Opening,
    Open,
}

/// A connected node.
#[derive(Debug)]
struct Peer {
    connected: Instant,
    rtt: Option<Duration>,
    /// Whether a link is there, or under way, or broken and not yet given up.
    engaged: bool,
    /// Whether beats can be sent, as the agent is told.
    linked: bool,
    outbound: Outbound,
    inbound: bool,
    /// Since when not both streams are there.
    partial: Instant,
    /// When the outbound stream may be opened again.
    reopen: Instant,
    reopens: Backoff,
    /// When the link may be sought again.
    seek: Instant,
    seeks: Backoff,
}

impl Peer {
    fn new(now: Instant) -> Self {
        Self {
            connected: now,
            rtt: None,
            engaged: false,
            linked: false,
            outbound: Outbound::Closed,
            inbound: false,
            partial: now,
            reopen: now,
            reopens: Backoff::new(REOPEN.0, REOPEN.1),
            seek: now,
            seeks: Backoff::new(SEEK_AGAIN.0, SEEK_AGAIN.1),
        }
    }

    fn whole(&self) -> bool {
        self.outbound == Outbound::Open && self.inbound
    }

    fn engage(&mut self, now: Instant) {
        self.engaged = true;
        self.partial = now;
        self.reopen = now;
        self.reopens.reset();
    }

    fn give_up(&mut self, now: Instant, chance: f64) {
        (self.engaged, self.linked, self.inbound) = (false, false, false);
        self.outbound = Outbound::Closed;
        self.seek = now + self.seeks.fail(chance);
    }

    fn settle(&mut self) {
        if self.whole() {
            self.linked = true;
            self.seeks.reset();
        }
    }
}

/// Connected nodes and the links with them. Time and chance (a random number from 0 to 1) are arguments.
#[derive(Debug)]
pub(super) struct Links {
    /// How many links this node seeks by itself.
    wanted: usize,
    peers: BTreeMap<PeerId, Peer>,
}

impl Links {
    /// None yet; to be sought until there are `wanted`.
    pub(super) fn new(wanted: usize) -> Self {
        Self { wanted: wanted.min(MAX_LINKS), peers: BTreeMap::new() }
    }

    /// The first connection to a node is there.
    pub(super) fn connected(&mut self, peer: PeerId, now: Instant) {
        self.peers.entry(peer).or_insert_with(|| Peer::new(now));
    }

    /// The last connection to a node is gone.
    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// The round-trip time to a node was measured.
    pub(super) fn measured(&mut self, peer: &PeerId, rtt: Duration) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.rtt = Some(rtt);
        }
    }

    /// A node opened its stream. Whether there is room for it; a stream for which there is none is to be closed.
    #[must_use]
    pub(super) fn arrived(&mut self, peer: &PeerId, now: Instant) -> bool {
        let room = self.engaged() < MAX_LINKS;
        let Some(peer) = self.peers.get_mut(peer) else { return false };
        if !peer.engaged {
            if !room {
                return false;
            }
            peer.engage(now);
        }
        peer.inbound = true;
        peer.settle();
        true
    }

    /// The stream of a node is closed.
    pub(super) fn departed(&mut self, peer: &PeerId, now: Instant) {
        if let Some(peer) = self.peers.get_mut(peer) {
            if peer.whole() {
                peer.partial = now;
            }
            peer.inbound = false;
        }
    }

    /// Our stream to a node is open. Whether it is still wanted; one that is not is to be closed.
    #[must_use]
    pub(super) fn opened(&mut self, peer: &PeerId) -> bool {
        let Some(peer) = self.peers.get_mut(peer).filter(|peer| peer.engaged) else { return false };
        peer.outbound = Outbound::Open;
        peer.settle();
        true
    }

    /// Our stream to a node was given up for another, which is being opened.
    pub(super) fn moved(&mut self, peer: &PeerId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.outbound = Outbound::Opening;
        }
    }

    /// Our stream to a node could not be opened, or is closed. Whether the link is given up, so that what is left of
    /// it is to be closed.
    #[must_use]
    pub(super) fn closed(&mut self, peer: &PeerId, now: Instant, chance: f64) -> bool {
        let Some(peer) = self.peers.get_mut(peer).filter(|peer| peer.engaged) else { return false };
        if peer.whole() {
            peer.partial = now;
        }
        peer.outbound = Outbound::Closed;
        peer.reopen = now + peer.reopens.fail(chance);
        // Closed before there was an answer: the other has no room.
        let refused = !peer.linked && !peer.inbound;
        if refused {
            peer.give_up(now, chance);
        }
        refused
    }

    /// What is due now.
    pub(super) fn due(&mut self, now: Instant, mut chance: impl FnMut() -> f64) -> Vec<Action> {
        let mut actions = Vec::new();
        for (id, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.engaged) {
            if peer.whole() {
                // Kept for a while: not broken again at once.
                if now.saturating_duration_since(peer.reopen) > GRACE {
                    peer.reopens.reset();
                }
            } else if now.saturating_duration_since(peer.partial) >= GRACE {
                peer.give_up(now, chance());
                actions.push(Action::Close(*id));
            } else if peer.outbound == Outbound::Closed && peer.reopen <= now {
                peer.outbound = Outbound::Opening;
                actions.push(Action::Open(*id));
            }
        }
        let room = self.wanted.saturating_sub(self.engaged());
        for id in self.best(room, now) {
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.engage(now);
                peer.outbound = Outbound::Opening;
                actions.push(Action::Open(id));
            }
        }
        actions
    }

    /// Nodes to seek a link with: the nearest first.
    fn best(&self, room: usize, now: Instant) -> Vec<PeerId> {
        let free = |peer: &Peer| !peer.engaged && peer.seek <= now;
        let mut found: Vec<_> = self.peers.iter().filter(|(_, peer)| free(peer)).collect();
        if found.len() > room {
            found.retain(|(_, peer)| {
                peer.rtt.is_some() || now.saturating_duration_since(peer.connected) >= MEASURING
            });
        }
        found.sort_by_key(|(_, peer)| peer.rtt.unwrap_or(Duration::MAX));
        found.into_iter().take(room).map(|(id, _)| *id).collect()
    }

    /// Links that are there, under way, or broken and not given up.
    fn engaged(&self) -> usize {
        self.peers.values().filter(|peer| peer.engaged).count()
    }

    /// Whether more links are wanted than there are.
    pub(super) fn wanting(&self) -> bool {
        self.engaged() < self.wanted
    }

    /// Whether the agent may send beats to this node.
    pub(super) fn is_linked(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| peer.linked)
    }

    /// Nodes with a link, and the last round-trip time to each.
    pub(super) fn linked(&self) -> impl Iterator<Item = (&PeerId, Option<Duration>)> {
        self.peers.iter().filter(|(_, peer)| peer.linked).map(|(id, peer)| (id, peer.rtt))
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
