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

/// The events to come.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Event>,
    turn: u32,
}

impl Queue {
    /// Something will happen. Of two things at one moment the one said first comes first.
    pub(super) fn push(&mut self, at: Nanos, what: What) {
        self.turn = self.turn.wrapping_add(1);
        self.heap.push(Event { at, turn: self.turn, what });
    }

    /// What happens next.
    pub(super) fn pop(&mut self) -> Option<(Nanos, What)> {
        self.heap.pop().map(|event| (event.at, event.what))
    }
}
