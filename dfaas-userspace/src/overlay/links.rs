//! Links, by which beats are exchanged. A link is two streams, one each way, opened by their senders: who opens one seeks
//! a link, who answers with one of its own agrees, and who has no room closes it. With whom there are to be links is
//! decided elsewhere (`neighbours.rs`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dfaas_control::Link;
use libp2p::PeerId;

use super::backoff::Backoff;
use super::bars::Bars;

/// Most links of a node: those that it seeks and those that others seek.
pub const MAX_LINKS: usize = dfaas_control::MOST_NEIGHBOURS;

/// How long a link may lack one of its streams before it is given up.
const GRACE: Duration = Duration::from_secs(5);
/// Waits before a broken stream is opened again.
const REOPEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(4));

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
    rtt: Option<Duration>,
    /// What it said last of its own links: how many, and whether this one is to stay.
    said: Option<(u8, bool)>,
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
}

impl Peer {
    fn new(now: Instant) -> Self {
        Self {
            rtt: None,
            said: None,
            engaged: false,
            linked: false,
            outbound: Outbound::Closed,
            inbound: false,
            partial: now,
            reopen: now,
            reopens: Backoff::new(REOPEN.0, REOPEN.1),
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

    fn give_up(&mut self) {
        (self.engaged, self.linked, self.inbound) = (false, false, false);
        self.outbound = Outbound::Closed;
        self.said = None;
    }

    /// Whether the link has just become whole, or is so again.
    fn settle(&mut self) -> bool {
        self.linked |= self.whole();
        self.whole()
    }
}

/// Connected nodes and the links with them. Time and chance (a random number from 0 to 1) are arguments.
#[derive(Debug, Default)]
pub(super) struct Links {
    peers: BTreeMap<PeerId, Peer>,
    bars: Bars,
}

impl Links {
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

    /// Seeks a link with a connected node; a stream to it is due.
    pub(super) fn seek(&mut self, peer: &PeerId, now: Instant) {
        if let Some(peer) = self.peers.get_mut(peer).filter(|peer| !peer.engaged) {
            peer.engage(now);
        }
    }

    /// One end ends the link; it is not there again for a while. Whether there was one, so that its streams are to be
    /// closed.
    #[must_use]
    pub(super) fn leave(&mut self, peer: &PeerId, now: Instant) -> bool {
        let Some(known) = self.peers.get_mut(peer).filter(|peer| peer.engaged) else { return false };
        known.give_up();
        self.bars.left(*peer, now);
        true
    }

    /// A node opened its stream. Whether that is welcome; a stream that is not is to be closed. `room` says whether one
    /// more link may be there.
    #[must_use]
    pub(super) fn arrived(&mut self, peer: &PeerId, room: bool, now: Instant) -> bool {
        let Some(known) = self.peers.get_mut(peer) else { return false };
        if !known.engaged {
            if !room || !self.bars.may_come(peer, now) {
                return false;
            }
            known.engage(now);
        }
        known.inbound = true;
        if known.settle() {
            self.bars.forget(peer);
        }
        true
    }

    /// A neighbour says how many links it has, and whether this one is to stay.
    pub(super) fn said(&mut self, peer: &PeerId, links: u8, keeps: bool) {
        if let Some(peer) = self.peers.get_mut(peer).filter(|peer| peer.engaged) {
            peer.said = Some((links, keeps));
        }
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
        let Some(known) = self.peers.get_mut(peer).filter(|peer| peer.engaged) else { return false };
        known.outbound = Outbound::Open;
        if known.settle() {
            self.bars.forget(peer);
        }
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
        let Some(known) = self.peers.get_mut(peer).filter(|peer| peer.engaged) else { return false };
        if known.whole() {
            known.partial = now;
        }
        known.outbound = Outbound::Closed;
        known.reopen = now + known.reopens.fail(chance);
        // Closed before there was an answer: the other has no room.
        let refused = !known.linked && !known.inbound;
        if refused {
            known.give_up();
            self.bars.failed(*peer, now, chance);
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
                peer.give_up();
                self.bars.failed(*id, now, chance());
                actions.push(Action::Close(*id));
            } else if peer.outbound == Outbound::Closed && peer.reopen <= now {
                peer.outbound = Outbound::Opening;
                actions.push(Action::Open(*id));
            }
        }
        actions
    }

    /// Links that are there, under way, or broken and not given up.
    pub(super) fn engaged(&self) -> usize {
        self.peers.values().filter(|peer| peer.engaged).count()
    }

    /// How a link stands with a node that is known or not.
    pub(super) fn stand(&self, peer: &PeerId, now: Instant) -> Link {
        match self.peers.get(peer) {
            Some(peer) if peer.linked => Link::Held,
            Some(peer) if peer.engaged => Link::Sought,
            _ if self.bars.may_seek(peer, now) => Link::Free,
            _ => Link::Barred,
        }
    }

    /// What a neighbour said last of its own links: how many, and whether this one is to stay.
    pub(super) fn word_of(&self, peer: &PeerId) -> Option<(u8, bool)> {
        self.peers.get(peer)?.said
    }

    /// Nodes with a link that is there, under way, or broken and not given up.
    pub(super) fn engagements(&self) -> impl Iterator<Item = &PeerId> {
        self.peers.iter().filter(|(_, peer)| peer.engaged).map(|(id, _)| id)
    }

    /// The last round-trip time to a connected node.
    pub(super) fn rtt(&self, peer: &PeerId) -> Option<Duration> {
        self.peers.get(peer)?.rtt
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
