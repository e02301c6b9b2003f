//! Counting what became of requests. No clock and no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::statistics::nearest_rank;

/// Latencies of what was answered, and reasons of what was not.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Microseconds.
    latencies: Vec<u64>,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    /// A request was answered rightly.
    pub(super) fn answered(&mut self, latency: Duration) {
        self.latencies.push(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    }

    /// Something went wrong.
    pub(super) fn error(&mut self, reason: String) {
        *self.errors.entry(reason).or_default() += 1;
    }

    /// Adds what another has counted.
    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        for (reason, count) in other.errors {
            *self.errors.entry(reason).or_default() += count;
        }
    }

    /// Requests that were answered.
    pub(super) fn requests(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// Microseconds that so many percent of the answers did not exceed; 0 if there were none.
    pub(super) fn percentiles<const N: usize>(&mut self, percents: [f64; N]) -> [u64; N] {
        self.latencies.sort_unstable();
        percents.map(|percent| nearest_rank(&self.latencies, percent).unwrap_or(0))
    }

    /// The reasons, with how often.
    pub(super) fn into_errors(self) -> BTreeMap<String, u64> {
        self.errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_have_counted_adds_up() {
        let mut all = Tally::default();
        for latencies in [[10, 30], [20, 40]] {
            let mut one = Tally::default();
            latencies.iter().for_each(|&us| one.answered(Duration::from_micros(us)));
            one.error("reset".to_owned());
            all.add(one);
        }
        assert_eq!((all.requests(), all.percentiles([50.0, 100.0])), (4, [20, 40]));
        assert_eq!(all.into_errors(), [("reset".to_owned(), 2)].into());
    }
}
