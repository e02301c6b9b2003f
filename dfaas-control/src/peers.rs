use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{NodeId, Time};

/// A peer is gone when this many of its periods passed without a fresh beat.
const MISSED_PERIODS: u32 = 3;

/// Bounds of what a peer can call its period.
const PERIODS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// Most nodes that are remembered after they went.
const REMEMBERED: usize = 1024;

/// How long a node is remembered after it went. No beat is under way for that long; and a node whose clock was far
/// ahead in an earlier run is not held to that number for ever.
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// Which peers live, by their beats.
///
/// Only the host's monotonic clock counts, so a wall clock that jumps changes nothing here. The table authenticates
/// nobody: the host passes beats only under the identity that it verified.
///
/// # When a silent peer is out
///
/// A peer expires 3 of its periods P after its last fresh beat. A host that looks only at its ticks, once in its own
/// period T, notices less than T later: within 3 P + T, which is at most 4 of the longer period, and 4 periods where
/// all nodes have the same. A host that also looks at [`PeerTable::next_expiry`] notices after 3 P. The period of a
/// peer is its own word, within 100 ms to 60 s.
#[derive(Debug, Clone, Default)]
pub struct PeerTable {
    living: BTreeMap<NodeId, Living>,
    gone: BTreeMap<NodeId, Gone>,
}

/// What a beat was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The first of a peer that was not living. It is now.
    New,
    /// The first of a new run of a living peer.
    Restarted,
    /// A newer one of a living peer.
    Fresh,
    /// Of an earlier run. It changes nothing.
    Stale,
    /// Not newer than one of the same run that was heard before. It changes nothing.
    Replayed,
}

/// The newest beat of a node: first by incarnation, then by sequence.
type Mark = (u64, u64);

#[derive(Debug, Clone, Copy)]
struct Living {
    last: Mark,
    expires: Time,
}

#[derive(Debug, Clone, Copy)]
struct Gone {
    last: Mark,
    since: Time,
}

impl PeerTable {
    /// Takes a beat of `node` into account: the `sequence`th of its run number `incarnation`, by a node that sends one
    /// each `period`.
    pub fn heard(
        &mut self,
        now: Time,
        node: NodeId,
        incarnation: u64,
        sequence: u64,
        period: Duration,
    ) -> Heard {
        self.gone.retain(|_, gone| now.since(gone.since) < REMEMBERED_FOR);
        let mark = (incarnation, sequence);
        let known = self.last(node);
        if known.is_some_and(|last| incarnation < last.0) {
            return Heard::Stale;
        }
        if known.is_some_and(|last| mark <= last) {
            return Heard::Replayed;
        }
        let period = period.clamp(PERIODS.0, PERIODS.1);
        let expires = now.after(period * MISSED_PERIODS);
        self.gone.remove(&node);
        match self.living.insert(node, Living { last: mark, expires }) {
            None => Heard::New,
            Some(before) if before.last.0 < incarnation => Heard::Restarted,
            Some(_) => Heard::Fresh,
        }
    }

    /// Takes out the peers whose time is up, and tells which.
    pub fn expire(&mut self, now: Time) -> Vec<NodeId> {
        let up: Vec<NodeId> =
            self.living.iter().filter(|(_, peer)| peer.expires <= now).map(|(node, _)| *node).collect();
        for node in &up {
            self.leave(now, *node);
        }
        up
    }

    /// When [`PeerTable::expire`] will have something to tell, if no beat comes until then.
    pub fn next_expiry(&self) -> Option<Time> {
        self.living.values().map(|peer| peer.expires).min()
    }

    /// Takes out a peer that says it goes. A newer beat of it brings it back; whether it was there.
    pub fn leave(&mut self, now: Time, node: NodeId) -> bool {
        let Some(peer) = self.living.remove(&node) else { return false };
        self.gone.insert(node, Gone { last: peer.last, since: now });
        if self.gone.len() > REMEMBERED {
            let oldest = self.gone.iter().min_by_key(|(node, gone)| (gone.since, **node));
            if let Some(oldest) = oldest.map(|(node, _)| *node) {
                self.gone.remove(&oldest);
            }
        }
        true
    }

    /// The peers that live, in the order of their numbers.
    pub fn living(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.living.keys().copied()
    }

    /// Whether this peer lives.
    pub fn lives(&self, node: NodeId) -> bool {
        self.living.contains_key(&node)
    }

    /// The newest run that is known of a node, also of one that is gone and still remembered. A node that starts again
    /// with a lower number learns this one from its peers.
    pub fn incarnation_of(&self, node: NodeId) -> Option<u64> {
        self.last(node).map(|last| last.0)
    }

    fn last(&self, node: NodeId) -> Option<Mark> {
        let living = self.living.get(&node).map(|peer| peer.last);
        living.or_else(|| self.gone.get(&node).map(|gone| gone.last))
    }
}
