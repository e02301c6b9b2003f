//! Frames on their way. No clock and no I/O.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// A frame that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrived {
    /// When it was due.
    pub due: Duration,
    /// Counts frames, so that of two that are due at one moment the older goes first.
    number: u64,
    /// Where it goes.
    pub port: usize,
    /// What it is.
    pub frame: Vec<u8>,
}

/// Frames that are held until they are due; a bounded number of them.
#[derive(Debug)]
pub(super) struct Held {
    frames: BinaryHeap<Reverse<Arrived>>,
    most: usize,
    number: u64,
}

impl Held {
    /// Holds at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { frames: BinaryHeap::new(), most, number: 0 }
    }

    /// Takes a frame that has come at `now` and is so long on its way to `port`; whether there is room for it.
    pub(super) fn take(&mut self, now: Duration, delay: Duration, port: usize, frame: Vec<u8>) -> bool {
        if self.frames.len() >= self.most {
            return false;
        }
        self.number += 1;
        self.frames.push(Reverse(Arrived { due: now + delay, number: self.number, port, frame }));
        true
    }

    /// The next frame that is due by `now`.
    pub(super) fn give(&mut self, now: Duration) -> Option<Arrived> {
        if self.next()? > now {
            return None;
        }
        self.frames.pop().map(|Reverse(arrived)| arrived)
    }

    /// When the next frame is due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.frames.peek().map(|Reverse(first)| first.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn given(held: &mut Held, now: Duration) -> Vec<u8> {
        std::iter::from_fn(|| held.give(now)).map(|arrived| arrived.frame[0]).collect()
    }

    #[test]
    fn a_frame_is_held_for_as_long_as_its_way_takes() {
        let mut held = Held::new(8);
        assert!(held.take(2 * MS, 5 * MS, 0, vec![1]));
        assert_eq!(held.next(), Some(7 * MS));
        assert_eq!(held.give(7 * MS - Duration::from_nanos(1)), None);
        let arrived = held.give(9 * MS).unwrap();
        assert_eq!((arrived.due, arrived.port, arrived.frame), (7 * MS, 0, vec![1]));
        assert_eq!(held.next(), None);
    }

    #[test]
    fn frames_of_one_way_keep_their_order_and_those_of_short_ways_overtake() {
        let mut held = Held::new(8);
        for (frame, at, delay) in [(1, 0, 9), (2, 0, 9), (3, 1, 2), (4, 2, 7), (5, 3, 0)] {
            held.take(at * MS, delay * MS, 0, vec![frame]);
        }
        assert_eq!(given(&mut held, 3 * MS), [3, 5]);
        assert_eq!(given(&mut held, 20 * MS), [1, 2, 4]);
    }

    #[test]
    fn what_there_is_no_room_for_is_refused_until_there_is() {
        let mut held = Held::new(2);
        let mut take = |frame| held.take(Duration::ZERO, MS, 0, vec![frame]);
        assert_eq!([1, 2, 3].map(&mut take), [true, true, false]);
        assert_eq!(given(&mut held, MS), [1, 2]);
        assert!(held.take(MS, MS, 0, vec![4]));
    }
}
