//! The nodes that this one has heard of, and when to call them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::address::bare;
use super::backoff::Backoff;

/// Most nodes in the book, those of the configuration aside.
const MOST: usize = 1024;
/// Most nodes in it that this one has only heard of.
const MOST_HEARD: usize = 256;
/// Most addresses of one node.
pub(super) const MOST_ADDRESSES: usize = 8;
/// Calls after which one that was never reached is forgotten.
const HEARD_CALLS: u32 = 3;
/// Most calls at one time.
pub(super) const MOST_CALLS: usize = 8;
/// Time after which a member that does not answer is forgotten.
const GONE: Duration = Duration::from_secs(24 * 3600);

/// How much is known of a node, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Somebody said so.
    Heard,
    /// It was talked to.
    Met,
    /// The configuration names it.
    Seed,
}

#[derive(Debug)]
struct Entry {
    standing: Standing,
    /// Without peer id; the ones that worked last first.
    addresses: Vec<Multiaddr>,
    connected: bool,
    calling: bool,
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
    /// There are links enough. One lost member now and then, so that a federation that fell apart grows together again.
    Content,
}

/// The address book. Time and chance (a random number from 0 to 1) are arguments.
#[derive(Debug)]
pub(super) struct Book {
    own: PeerId,
    /// First and longest wait between calls.
    waits: (Duration, Duration),
    entries: BTreeMap<PeerId, Entry>,
    /// When the next call is made that is not needed.
    leisure: Instant,
    /// Whether what is worth remembering changed.
    changed: bool,
}

impl Book {
    /// An empty book of the node `own`, which never stands in it.
    pub(super) fn new(own: PeerId, waits: (Duration, Duration), now: Instant) -> Self {
        Self { own, waits, entries: BTreeMap::new(), leisure: now, changed: false }
    }

    /// A node of the configuration: never forgotten.
    pub(super) fn seed(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        self.note(peer, Standing::Seed, [address], now);
    }

    /// A member that an earlier run met.
    pub(super) fn recall(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        self.note(peer, Standing::Met, [address], now);
    }

    /// Somebody says that this is a node. Nothing of it is certain.
    pub(super) fn heard(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        // What it says of itself is better than what others say.
        if self.entries.get(&peer).is_none_or(|entry| entry.standing == Standing::Heard) {
            self.note(peer, Standing::Heard, addresses, now);
        }
    }

    /// A node says where it is.
    pub(super) fn introduced(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        self.note(peer, Standing::Met, addresses, now);
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
            (entry.connected, entry.calling) = (true, false);
            entry.waits.reset();
        }
    }

    /// The last connection to a node is gone. One that was `lost` is wanted back soon; the others had no use.
    pub(super) fn disconnected(&mut self, peer: &PeerId, lost: bool, now: Instant, chance: f64) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.connected = false;
            entry.seen = now;
            entry.next =
                now + if lost { entry.waits.fail(chance) } else { self.waits.1.mul_f64(0.75 + chance / 2.0) };
        }
    }

    /// A call did not reach a node.
    pub(super) fn failed(&mut self, peer: &PeerId, now: Instant, chance: f64) {
        let Some(entry) = self.entries.get_mut(peer) else { return };
        entry.calling = false;
        if entry.connected {
            return;
        }
        entry.next = now + entry.waits.fail(chance);
        let forgotten = match entry.standing {
            Standing::Heard => entry.waits.failures() >= HEARD_CALLS,
            Standing::Met => now.saturating_duration_since(entry.seen) >= GONE,
            Standing::Seed => false,
        };
        if forgotten {
            self.changed |= entry.standing == Standing::Met;
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
        let calling = self.entries.values().filter(|entry| entry.calling).count();
        let room = match eagerness {
            Eagerness::Wanting => MOST_CALLS.saturating_sub(calling),
            Eagerness::Content if self.leisure <= now => 1_usize.saturating_sub(calling),
            Eagerness::Content => 0,
        };
        let wanted = |peer: &PeerId, entry: &Entry| {
            let known = eagerness == Eagerness::Wanting || entry.standing > Standing::Heard;
            !entry.connected && !entry.calling && entry.next <= now && known && may(peer)
        };
        let mut due: Vec<_> = self.entries.iter_mut().filter(|(peer, entry)| wanted(peer, entry)).collect();
        // Who failed least first: one that was just lost before one that was not reached for hours.
        due.sort_by_key(|(_, entry)| (entry.waits.failures(), entry.next));
        let call = |(peer, entry): (&PeerId, &mut Entry)| {
            entry.calling = true;
            (*peer, entry.addresses.clone())
        };
        let due: Vec<_> = due.into_iter().take(room).map(call).collect();
        if eagerness == Eagerness::Content && !due.is_empty() {
            self.leisure = now + self.waits.1 / 4;
        }
        due
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
        let worth = |entry: &Entry| entry.standing > Standing::Heard && !entry.addresses.is_empty();
        let mut members: Vec<_> = self.entries.iter().filter(|(_, entry)| worth(entry)).collect();
        members.sort_by_key(|(_, entry)| (!entry.connected, entry.waits.failures()));
        Some(members.into_iter().map(|(peer, entry)| (*peer, entry.addresses.clone())).collect())
    }

    fn note(
        &mut self,
        peer: PeerId,
        standing: Standing,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        if peer == self.own || !(self.entries.contains_key(&peer) || self.make_room(standing)) {
            return;
        }
        let waits = Backoff::new(self.waits.0, self.waits.1);
        let entry = self.entries.entry(peer).or_insert_with(|| Entry {
            standing,
            addresses: Vec::new(),
            connected: false,
            calling: false,
            seen: now,
            next: now,
            waits,
        });
        let before = (entry.standing, entry.addresses.len());
        entry.standing = entry.standing.max(standing);
        for address in addresses.into_iter().map(bare).take(MOST_ADDRESSES) {
            if !entry.addresses.contains(&address) {
                // A node that moved is at the new address; the oldest unproven one makes room.
                entry.addresses.truncate(MOST_ADDRESSES - 1);
                entry.addresses.push(address);
            }
        }
        self.changed |= standing > Standing::Heard && before != (entry.standing, entry.addresses.len());
    }

    /// Whether there is room for one more.
    fn make_room(&mut self, standing: Standing) -> bool {
        let heard = self.entries.values().filter(|entry| entry.standing == Standing::Heard).count();
        match standing {
            Standing::Seed => true,
            Standing::Heard if heard >= MOST_HEARD || self.entries.len() >= MOST => false,
            _ if self.entries.len() < MOST => true,
            // The least known, and the longest not reached, makes room.
            _ => {
                let gone =
                    |entry: &Entry| (entry.standing, std::cmp::Reverse(entry.waits.failures()), entry.seen);
                let free = self
                    .entries
                    .iter()
                    .filter(|(_, entry)| !entry.connected && entry.standing < Standing::Seed);
                let least = free.min_by_key(|(_, entry)| gone(entry)).map(|(peer, _)| *peer);
                least.is_some_and(|peer| self.entries.remove(&peer).is_some())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);
    const CAP: Duration = Duration::from_secs(60);

    fn book() -> Book {
        Book::new(PeerId::random(), (FIRST, CAP), Instant::now())
    }

    fn at(port: u16) -> Multiaddr {
        format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
    }

    fn due(book: &mut Book, now: Instant, eagerness: Eagerness) -> Vec<PeerId> {
        book.due(now, eagerness, |_| true).into_iter().map(|(peer, _)| peer).collect()
    }

    #[test]
    fn a_seed_is_called_for_ever_with_growing_waits() {
        let (start, mut book, seed) = (Instant::now(), book(), PeerId::random());
        book.seed(seed, at(1), start);
        let (mut now, mut calls) = (start, Vec::new());
        while now < start + Duration::from_secs(3600) {
            if due(&mut book, now, Eagerness::Wanting) == [seed] {
                calls.push((now - start).as_secs());
                assert_eq!(due(&mut book, now, Eagerness::Wanting), [], "one call at a time");
                book.failed(&seed, now, 0.5);
            }
            now += Duration::from_millis(500);
        }
        assert_eq!(calls[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
        assert!(calls.windows(2).all(|pair| pair[1] - pair[0] <= 60), "{calls:?}");
    }

    #[test]
    fn the_node_itself_never_stands_in_its_book() {
        let (now, mut book) = (Instant::now(), book());
        book.seed(book.own, at(1), now);
        book.heard(book.own, [at(2)], now);
        assert_eq!(book.len(), 0);
        assert!(book.knows(&book.own));
    }

    #[test]
    fn a_node_that_is_only_heard_of_is_forgotten_after_three_calls() {
        let (mut now, mut book, peer) = (Instant::now(), book(), PeerId::random());
        book.heard(peer, [at(1)], now);
        for call in 1..=3 {
            assert_eq!(due(&mut book, now, Eagerness::Wanting), [peer], "call {call}");
            book.failed(&peer, now, 0.5);
            now += CAP;
        }
        assert_eq!(book.len(), 0);
    }

    #[test]
    fn a_lost_member_is_called_again_and_forgotten_after_a_day() {
        let (start, mut book, peer) = (Instant::now(), book(), PeerId::random());
        book.introduced(peer, [at(1)], start);
        book.connected(&peer);
        assert_eq!(due(&mut book, start + CAP, Eagerness::Wanting), [], "it is there");
        book.disconnected(&peer, true, start, 0.5);
        assert_eq!(due(&mut book, start, Eagerness::Wanting), [], "not at once");
        assert_eq!(due(&mut book, start + FIRST, Eagerness::Content), [peer]);
        book.failed(&peer, start + FIRST, 0.5);
        assert_eq!(book.len(), 1);
        book.failed(&peer, start + GONE, 0.5);
        assert_eq!(book.len(), 0);
    }

    #[test]
    fn with_links_enough_only_members_are_called_and_now_and_then() {
        let (mut book, now) = (book(), Instant::now());
        (0..5).for_each(|port| book.introduced(PeerId::random(), [at(port + 1)], now));
        book.heard(PeerId::random(), [at(9)], now);
        let first = due(&mut book, now, Eagerness::Content);
        assert_eq!(first.len(), 1);
        book.failed(&first[0], now, 0.5);
        assert_eq!(due(&mut book, now, Eagerness::Content).len(), 0);
        assert_eq!(due(&mut book, now + CAP / 4, Eagerness::Content).len(), 1);
        assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), 4);
    }

    #[test]
    fn a_connection_without_use_is_not_made_again_soon() {
        let (mut book, now, peer) = (book(), Instant::now(), PeerId::random());
        book.introduced(peer, [at(1)], now);
        book.connected(&peer);
        book.disconnected(&peer, false, now, 0.5);
        assert_eq!(due(&mut book, now + CAP / 2, Eagerness::Wanting), []);
        assert_eq!(due(&mut book, now + CAP, Eagerness::Wanting), [peer]);
    }

    #[test]
    fn calls_are_bounded_and_who_may_not_come_is_not_called() {
        let (now, mut book) = (Instant::now(), book());
        let peers: Vec<PeerId> = (0..30).map(|_| PeerId::random()).collect();
        peers.iter().for_each(|peer| book.heard(*peer, [at(1)], now));
        assert!(book.due(now, Eagerness::Wanting, |_| false).is_empty());
        assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), MOST_CALLS);
        assert_eq!(due(&mut book, now, Eagerness::Wanting).len(), 0);
    }

    #[test]
    fn the_address_that_worked_last_is_tried_first() {
        let (now, mut book, peer) = (Instant::now(), book(), PeerId::random());
        book.introduced(peer, (1..=30).map(at), now);
        book.reached(&peer, &super::super::address::with_id(at(5), peer));
        let (_, addresses) = book.due(now, Eagerness::Wanting, |_| true).remove(0);
        assert_eq!((addresses.len(), &addresses[0]), (MOST_ADDRESSES, &at(5)));
        book.introduced(peer, [at(77)], now);
        let (_, addresses) = book.news().unwrap().remove(0);
        assert!(addresses.len() == MOST_ADDRESSES && addresses.contains(&at(77)), "{addresses:?}");
        assert_eq!(addresses[0], at(5));
    }

    #[test]
    fn others_cannot_change_what_is_known_of_a_member() {
        let (now, mut book, peer) = (Instant::now(), book(), PeerId::random());
        book.introduced(peer, [at(1)], now);
        book.heard(peer, (10..20).map(at), now);
        assert_eq!(book.due(now, Eagerness::Wanting, |_| true), [(peer, vec![at(1)])]);
    }

    #[test]
    fn a_book_full_of_rumours_has_room_for_members() {
        let (now, mut book) = (Instant::now(), book());
        (0..2 * MOST).for_each(|_| book.heard(PeerId::random(), [at(1)], now));
        assert_eq!(book.len(), MOST_HEARD);
        (0..2 * MOST).for_each(|_| book.introduced(PeerId::random(), [at(1)], now));
        assert_eq!(book.len(), MOST);
        assert!(book.entries.values().all(|entry| entry.standing == Standing::Met));
        let connected: Vec<PeerId> = book.entries.keys().copied().collect();
        connected.iter().for_each(|peer| book.connected(peer));
        book.introduced(PeerId::random(), [at(1)], now);
        assert_eq!(book.len(), MOST, "who is connected stays");
    }

    #[test]
    fn what_is_worth_remembering_is_told_once() {
        let (now, mut book, member) = (Instant::now(), book(), PeerId::random());
        book.heard(PeerId::random(), [at(9)], now);
        assert_eq!(book.news(), None);
        book.introduced(member, [at(1)], now);
        assert_eq!(book.news(), Some(vec![(member, vec![at(1)])]));
        book.introduced(member, [at(1)], now);
        assert_eq!(book.news(), None);
    }
}
