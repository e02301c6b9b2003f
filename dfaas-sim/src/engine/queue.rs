//! What is still to happen, in the order of time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::federation::Nanos;

/// Something that happens. Numbers are those of nodes, requests, words and failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A user of this node asks for something; the second number tells whether that was drawn by rates in force.
    Arrival(u32, u32),
    /// A request has been served.
    Served(u32),
    /// The first of those that share a node's processors ends, if that was foreseen in its epoch.
    Shared(u32, u32),
    /// An instance has started at this node: the function, and above its 16 bits the node's epoch.
    Started(u32, u32),
    /// The question of a probe reaches the first or second peer.
    Question(u32, u32),
    /// The answers to a probe are there.
    Answers(u32),
    /// A connection of a request reaches the peer.
    Connect(u32),
    /// The request itself reaches the peer.
    Head(u32),
    /// A refusal reaches the node that had sent the request.
    Refused(u32),
    /// It has heard nothing from the peer for too long.
    Silent(u32),
    /// The user has waited for an answer for too long.
    GivenUp(u32),
    /// A node's strategy decides.
    Tick(u32),
    /// A message arrives.
    Word(u32),
    /// A node works out what messages have brought.
    Due(u32),
    /// Users ask by another piece of the rates.
    Rates(u32),
    /// A failure begins.
    Fails(u32),
    /// A failure ends.
    Heals(u32),
    /// A second of the record is over.
    Second,
}

/// When, and in which order of those at one moment. The earliest is the greatest, as the heap wants it.
#[derive(Debug, Clone, Copy)]
struct Event {
    at: Nanos,
    turn: u32,
    what: What,
}

impl Event {
    /// One number to compare instead of two.
    fn order(&self) -> u128 {
        (u128::from(self.at) << 32) | u128::from(self.turn)
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        other.order().cmp(&self.order())
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Event {}

/// Nanoseconds of a slot, as a power of two: 131 us, in which some four things happen in a federation of a hundred nodes.
const SLOT_BITS: u32 = 17;

/// Slots ahead that have a place each: half a second, longer than most of what requests wait for.
const SLOTS: u64 = 4096;

/// No place of an event.
const NOWHERE: u32 = u32::MAX;

/// The events to come, as a calendar (R. Brown, "Calendar queues", Communications of the ACM 31, 1988): what happens soon
/// lies in the slot of its time, unordered, and only the slot whose time has come is put in order. What is farther off
/// waits in a heap until the calendar reaches it.
#[derive(Debug)]
pub(super) struct Queue {
    /// What is due in the present slot, or was due before.
    now: BinaryHeap<Event>,
    /// Number of the present slot, counted from time 0.
    slot: u64,
    /// The slots after it, each at its number modulo [`SLOTS`]: the place of the first event, [`NOWHERE`] if there is none.
    soon: Vec<u32>,
    /// Events of these slots, each with the place of the next one in its slot. Few places are used again and again, so that
    /// they stay in the cache, which a list for each slot would not.
    places: Vec<(Event, u32)>,
    free: Vec<u32>,
    /// What is due after those.
    later: BinaryHeap<Event>,
    turn: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            now: BinaryHeap::new(),
            slot: 0,
            soon: vec![NOWHERE; SLOTS as usize],
            places: Vec::new(),
            free: Vec::new(),
            later: BinaryHeap::new(),
            turn: 0,
        }
    }
}

impl Queue {
    /// Something will happen. Of two things at one moment the one said first comes first.
    pub(super) fn push(&mut self, at: Nanos, what: What) {
        self.turn = self.turn.wrapping_add(1);
        self.place(Event { at, turn: self.turn, what });
    }

    /// What happens next.
    pub(super) fn pop(&mut self) -> Option<(Nanos, What)> {
        if self.now.is_empty() {
            self.advance();
        }
        self.now.pop().map(|event| (event.at, event.what))
    }

    fn place(&mut self, event: Event) {
        let slot = event.at >> SLOT_BITS;
        if slot <= self.slot {
            self.now.push(event);
        } else if slot - self.slot < SLOTS {
            let first = &mut self.soon[(slot % SLOTS) as usize];
            let node = (event, *first);
            *first = match self.free.pop() {
                Some(place) => {
                    self.places[place as usize] = node;
                    place
                }
                None => {
                    self.places.push(node);
                    (self.places.len() - 1) as u32
                }
            };
        } else {
            self.later.push(event);
        }
    }

    /// Goes on to the next slot in which something happens.
    fn advance(&mut self) {
        let farthest = self.later.peek().map(|event| event.at >> SLOT_BITS);
        if self.free.len() < self.places.len() {
            self.slot += 1;
            while self.soon[(self.slot % SLOTS) as usize] == NOWHERE {
                self.slot += 1;
            }
            let mut place = std::mem::replace(&mut self.soon[(self.slot % SLOTS) as usize], NOWHERE);
            while place != NOWHERE {
                self.free.push(place);
                let (event, next) = self.places[place as usize];
                self.now.push(event);
                place = next;
            }
        } else if let Some(slot) = farthest {
            self.slot = slot;
        }
        while let Some(event) = self.later.peek().filter(|event| (event.at >> SLOT_BITS) - self.slot < SLOTS)
        {
            let event = *event;
            self.later.pop();
            self.place(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Waits of all lengths, from none to more than the calendar reaches.
    fn any_wait() -> impl Strategy<Value = Nanos> {
        (0u32..34).prop_flat_map(|bits| 0..=(1u64 << bits))
    }

    proptest! {
        #[test]
        fn things_happen_in_the_order_of_time_and_at_one_moment_in_that_in_which_they_were_said(
            rounds in proptest::collection::vec((proptest::collection::vec(any_wait(), 0..6), 0usize..6), 1..60)
        ) {
            let (mut queue, mut expected) = (Queue::default(), Vec::new());
            let (mut now, mut said) = (0, 0);
            for (waits, happens) in rounds {
                for wait in waits {
                    queue.push(now + wait, What::Tick(said));
                    expected.push((now + wait, said));
                    said += 1;
                }
                for _ in 0..happens {
                    let next = expected.iter().copied().min();
                    prop_assert_eq!(queue.pop(), next.map(|(at, said)| (at, What::Tick(said))));
                    now = next.map_or(now, |(at, _)| at);
                    expected.retain(|event| Some(*event) != next);
                }
            }
            expected.sort_unstable();
            for (at, said) in expected {
                prop_assert_eq!(queue.pop(), Some((at, What::Tick(said))));
            }
            prop_assert_eq!(queue.pop(), None);
        }
    }
}
