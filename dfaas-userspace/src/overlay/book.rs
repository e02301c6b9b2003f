//! The nodes that this one has heard of, and when to call them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::address::bare;
use super::backoff::Backoff;

/// Most nodes in the book, those of the configuration aside.
const MOST: usize = 256;
/// Most nodes in it that this one has only heard of.
const MOST_HEARD: usize = 128;
/// Most addresses of one node.
pub(super) const MOST_ADDRESSES: usize = 8;
/// Calls after which one that was never reached is forgotten.
const HEARD_CALLS: u32 = 3;
/// Time after which a call has ended although nobody said so: one that found this node itself, for example.
const CALL: Duration = Duration::from_secs(60);
/// A node that was called only to see how far away it is is called again after so many of the longest waits.
const SEEN: u32 = 10;
/// Most calls at one time.
pub(super) const MOST_CALLS: usize = 8;
/// Time after which a member that does not answer is forgotten.
const GONE: Duration = Duration::from_secs(24 * 3600);

/// How much is known of a node, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Knowledge {
    /// Somebody said so.
    Heard,
    /// It was talked to.
    Met,
    /// The configuration names it.
    Seed,
}

#[derive(Debug)]
struct Entry {
    knowledge: Knowledge,
    /// Without peer id; the ones that worked last first.
    addresses: Vec<Multiaddr>,
    /// Round-trip time, as short as it can be.
    rtt: Option<Duration>,
    connected: bool,
    /// Since when it is being called.
    calling: Option<Instant>,
    /// When it was last connected, or first heard of.
    seen: Instant,
    /// When it may be called.
    next: Instant,
    waits: Backoff,
}

/// How eagerly to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eagerness {
    /// More links are wanted: whoever is known.
    Wanting,
    /// There are links enough. One node now and then: nearer ones may be among them, and a federation that fell apart
    /// grows together again.
    Content,
}

/// The address book. Time and chance (a random number from 0 to 1) are arguments.
#[derive(Debug)]
pub(super) struct Book {
    own: PeerId,
    /// First and longest wait between calls.
    waits: (Duration, Duration),
    entries: BTreeMap<PeerId, Entry>,
    /// When the next call is made that is not needed, and the wait after it: short at first.
    leisure: Instant,
    pace: Duration,
    /// Whether what is worth remembering changed.
    changed: bool,
}

impl Book {
    /// An empty book of the node `own`, which never stands in it.
    pub(super) fn new(own: PeerId, waits: (Duration, Duration), now: Instant) -> Self {
        Self { own, waits, entries: BTreeMap::new(), leisure: now, pace: waits.0, changed: false }
    }

    /// A node of the configuration: never forgotten.
    pub(super) fn seed(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        self.note(peer, Knowledge::Seed, [address], now);
    }

    /// A member that an earlier run met.
    pub(super) fn recall(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        self.note(peer, Knowledge::Met, [address], now);
    }

    /// Somebody says that this is a node. Nothing of it is certain.
    pub(super) fn heard(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        // What it says of itself is better than what others say.
        if self.entries.get(&peer).is_none_or(|entry| entry.knowledge == Knowledge::Heard) {
            self.note(peer, Knowledge::Heard, addresses, now);
        }
    }

    /// A node says where it is.
    pub(super) fn introduced(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        self.note(peer, Knowledge::Met, addresses, now);
    }

    /// A call reached a node at this address.
    pub(super) fn reached(&mut self, peer: &PeerId, address: &Multiaddr) {
        let Some(entry) = self.entries.get_mut(peer) else { return };
        let address = bare(address.clone());
        self.changed |= entry.addresses.first() != Some(&address);
        entry.addresses.retain(|known| *known != address);
        entry.addresses.insert(0, address);
        entry.addresses.truncate(MOST_ADDRESSES);
    }

    /// The first connection to a node is there.
    pub(super) fn connected(&mut self, peer: &PeerId) {
        if let Some(entry) = self.entries.get_mut(peer) {
            (entry.connected, entry.calling) = (true, None);
            entry.waits.reset();
        }
    }

    /// The last connection to a node is gone. One that was `lost` is wanted back soon; the others had no use.
    pub(super) fn disconnected(&mut self, peer: &PeerId, lost: bool, now: Instant, chance: f64) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.connected = false;
            entry.seen = now;
            entry.next = now
                + if lost {
                    entry.waits.fail(chance)
                } else {
                    (self.waits.1 * SEEN).mul_f64(0.75 + chance / 2.0)
                };
        }
    }

    /// A call did not reach a node.
    pub(super) fn failed(&mut self, peer: &PeerId, now: Instant, chance: f64) {
        let Some(entry) = self.entries.get_mut(peer) else { return };
        entry.calling = None;
        if entry.connected {
            return;
        }
        entry.next = now + entry.waits.fail(chance);
        let forgotten = match entry.knowledge {
            Knowledge::Heard => entry.waits.failures() >= HEARD_CALLS,
            Knowledge::Met => now.saturating_duration_since(entry.seen) >= GONE,
            Knowledge::Seed => false,
        };
        if forgotten {
            self.changed |= entry.knowledge == Knowledge::Met;
            self.entries.remove(peer);
        }
    }

    /// Nodes to call now, with their addresses; they count as being called. `may` says whether one is worth it.
    pub(super) fn due(
        &mut self,
        now: Instant,
        eagerness: Eagerness,
        may: impl Fn(&PeerId) -> bool,
    ) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let calling =
            |entry: &Entry| entry.calling.is_some_and(|since| now.saturating_duration_since(since) < CALL);
        let under_way = self.entries.values().filter(|entry| calling(entry)).count();
        let room = match eagerness {
            Eagerness::Wanting => MOST_CALLS.saturating_sub(under_way),
            Eagerness::Content if self.leisure <= now => 1_usize.saturating_sub(under_way),
            Eagerness::Content => 0,
        };
        let wanted = |peer: &PeerId, entry: &Entry| {
            !entry.connected && !calling(entry) && entry.next <= now && may(peer)
        };
        let mut due: Vec<_> = self.entries.iter_mut().filter(|(peer, entry)| wanted(peer, entry)).collect();
        match eagerness {
            // Who failed least first: one that was just lost before one that was not reached for hours.
            Eagerness::Wanting => due.sort_by_key(|(_, entry)| (entry.waits.failures(), entry.next)),
            // In turn.
            Eagerness::Content => due.sort_by_key(|(_, entry)| entry.next),
        }
        let call = |(peer, entry): (&PeerId, &mut Entry)| {
            entry.calling = Some(now);
            (*peer, entry.addresses.clone())
        };
        let due: Vec<_> = due.into_iter().take(room).map(call).collect();
        if eagerness == Eagerness::Content && !due.is_empty() {
            self.leisure = now + self.pace;
            self.pace = (self.pace * 2).min(self.waits.1);
        }
        due
    }

    /// The addresses of a node that is to be called at once; `None` if it need not be, or has none.
    pub(super) fn call(&mut self, peer: &PeerId, now: Instant) -> Option<Vec<Multiaddr>> {
        let entry =
            self.entries.get_mut(peer).filter(|entry| !entry.connected && !entry.addresses.is_empty())?;
        if entry.calling.is_some_and(|since| now.saturating_duration_since(since) < CALL) {
            return None;
        }
        entry.calling = Some(now);
        Some(entry.addresses.clone())
    }

    /// The round-trip time to a node was measured. What counts is how near it can be: load only adds to that, so shorter
    /// times hold at once and longer ones by a twentieth of the difference.
    pub(super) fn measured(&mut self, peer: &PeerId, rtt: Duration) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.rtt = Some(entry.rtt.map_or(rtt, |known| rtt.min(known + rtt.saturating_sub(known) / 20)));
        }
    }

    /// Every node with the round-trip time to it, and whether it might be reached at a moment.
    pub(super) fn nodes(
        &self,
    ) -> impl Iterator<Item = (&PeerId, Option<Duration>, impl Fn(Instant) -> bool)> {
        self.entries.iter().map(|(peer, entry)| {
            let reachable = |now| {
                let failed = entry.waits.failures() > 0 && entry.next > now;
                !entry.addresses.is_empty() && !failed
            };
            (peer, entry.rtt, reachable)
        })
    }

    /// Nodes heard of.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether a node is known.
    pub(super) fn knows(&self, peer: &PeerId) -> bool {
        *peer == self.own || self.entries.contains_key(peer)
    }

    /// Members worth remembering, if that changed since the last time: with their addresses, connected ones first.
    pub(super) fn news(&mut self) -> Option<Vec<(PeerId, Vec<Multiaddr>)>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let worth = |entry: &Entry| entry.knowledge > Knowledge::Heard && !entry.addresses.is_empty();
        let mut members: Vec<_> = self.entries.iter().filter(|(_, entry)| worth(entry)).collect();
        members.sort_by_key(|(_, entry)| (!entry.connected, entry.waits.failures()));
        Some(members.into_iter().map(|(peer, entry)| (*peer, entry.addresses.clone())).collect())
    }

    fn note(
        &mut self,
        peer: PeerId,
        knowledge: Knowledge,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        if peer == self.own || !(self.entries.contains_key(&peer) || self.make_room(knowledge)) {
            return;
        }
        let waits = Backoff::new(self.waits.0, self.waits.1);
        let entry = self.entries.entry(peer).or_insert_with(|| Entry {
            knowledge,
            addresses: Vec::new(),
            rtt: None,
            connected: false,
            calling: None,
            seen: now,
            next: now,
            waits,
        });
        let before = (entry.knowledge, entry.addresses.len());
        entry.knowledge = entry.knowledge.max(knowledge);
        for address in addresses.into_iter().map(bare).take(MOST_ADDRESSES) {
            if !entry.addresses.contains(&address) {
                // A node that moved is at the new address; the oldest unproven one makes room.
                entry.addresses.truncate(MOST_ADDRESSES - 1);
                entry.addresses.push(address);
            }
        }
        self.changed |= knowledge > Knowledge::Heard && before != (entry.knowledge, entry.addresses.len());
    }

    /// Whether there is room for one more.
    fn make_room(&mut self, knowledge: Knowledge) -> bool {
        let heard = |entry: &Entry| entry.knowledge == Knowledge::Heard;
        match knowledge {
            Knowledge::Seed => true,
            Knowledge::Heard if self.entries.values().filter(|entry| heard(entry)).count() >= MOST_HEARD => {
                // The oldest rumour makes room.
                let free = self.entries.iter().filter(|(_, entry)| heard(entry) && !entry.connected);
                let oldest = free.min_by_key(|(_, entry)| entry.seen).map(|(peer, _)| *peer);
                oldest.is_some_and(|peer| self.entries.remove(&peer).is_some())
            }
            Knowledge::Heard if self.entries.len() >= MOST => false,
            _ if self.entries.len() < MOST => true,
            // The least known, and the longest not reached, makes room.
            _ => {
                let gone =
                    |entry: &Entry| (entry.knowledge, std::cmp::Reverse(entry.waits.failures()), entry.seen);
                let free = self
                    .entries
                    .iter()
                    .filter(|(_, entry)| !entry.connected && entry.knowledge < Knowledge::Seed);
                let least = free.min_by_key(|(_, entry)| gone(entry)).map(|(peer, _)| *peer);
                least.is_some_and(|peer| self.entries.remove(&peer).is_some())
            }
        }
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
