//! From readings of counters to counts of intervals.

use std::collections::BTreeMap;

use super::TraceError;
use super::error::{finite, positive};

/// How well the counts of an interval are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Counters were read at both of its ends.
    Counted,
    /// Counters were read before and after several intervals only: what was counted is divided evenly among them.
    Divided,
    /// Counters began anew: what was counted since then is divided evenly, and what came before that is lost.
    AtLeast,
}

impl Known {
    /// The word for it in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Divided => "divided",
            Self::AtLeast => "at_least",
        }
    }
}

/// Successive intervals that have the same counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown<K> {
    /// When the first of them begins, in seconds on the clock of the trace.
    pub start: f64,
    /// How many there are; at least one.
    pub intervals: usize,
    /// How well the counts are known.
    pub known: Known,
    /// The growth of each counter in each of them; not whole where it is divided.
    pub counts: BTreeMap<K, f64>,
}

/// Follows counters that only grow, until whoever counts begins anew, from readings at about the ends of intervals.
///
/// A reading belongs to the nearest end of an interval. One that belongs to the same end as the one before is passed over,
/// and what it counted is in the next; readings that are missing are made up by the next one, which says so.
#[derive(Debug, Clone)]
pub struct Counters<K> {
    start: f64,
    interval: f64,
    /// Ends of intervals passed at the last reading; nothing before the first.
    place: Option<usize>,
    /// The last known value of every counter that was ever seen. One that is missing for a while goes on where it was.
    values: BTreeMap<K, u64>,
}

impl<K: Ord + Clone> Counters<K> {
    /// Intervals of `interval` seconds, the first from `start` seconds on.
    ///
    /// # Errors
    /// [`TraceError`] if the start is not finite or the interval not more than zero.
    pub fn new(start: f64, interval: f64) -> Result<Self, TraceError> {
        finite("start", start)?;
        positive("interval", interval)?;
        Ok(Self { start, interval, place: None, values: BTreeMap::new() })
    }

    /// Takes a reading at `time` seconds on the clock of the trace; what grew since the one before, nothing for the first
    /// and for one that is passed over. A counter that was not seen before has grown from 0.
    pub fn take(&mut self, time: f64, now: &BTreeMap<K, u64>) -> Option<Grown<K>> {
        // A time that is no number, or lies before the start, is that of the start.
        let place = ((time - self.start) / self.interval).round().max(0.0) as usize;
        let Some(before) = self.place else {
            self.place = Some(place);
            self.values = now.clone();
            return None;
        };
        let intervals = place.checked_sub(before).filter(|intervals| *intervals > 0)?;
        self.place = Some(place);
        let fell = now.iter().any(|(key, value)| self.values.get(key).is_some_and(|old| value < old));
        if fell {
            // They are kept by one table: where one is new, all are.
            self.values.clear();
        }
        let grown = |(key, value): (&K, &u64)| {
            let old = self.values.get(key).copied().unwrap_or(0);
            (key.clone(), (value - old) as f64 / intervals as f64)
        };
        let counts = now.iter().map(grown).collect();
        self.values.extend(now.iter().map(|(key, value)| (key.clone(), *value)));
        let known = match (fell, intervals) {
            (true, _) => Known::AtLeast,
            (false, 1) => Known::Counted,
            (false, _) => Known::Divided,
        };
        Some(Grown { start: self.start + before as f64 * self.interval, intervals, known, counts })
    }
}
