use std::collections::VecDeque;
use std::time::Duration;

use dfaas_control::Time;

use crate::dataplane::Snapshot;
use crate::machine::Reading;

/// One reading of everything that is counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sample {
    /// Of the data plane.
    pub snapshot: Snapshot,
    /// Of the machine.
    pub machine: Reading,
}

/// Readings of the counters that are kept at most; decisions out of turn add some.
const MOST: usize = 64;

/// The readings of the last period and a little more, for rates.
///
/// A decision out of turn (a peer came or went) follows the last reading by milliseconds; a rate over that would be
/// noise. So rates are always taken over about a period, whenever they are asked for.
#[derive(Debug)]
pub(super) struct History {
    period: Duration,
    readings: VecDeque<(Time, Sample)>,
}

impl History {
    pub(super) fn new(period: Duration) -> Self {
        Self { period, readings: VecDeque::new() }
    }

    /// Keeps a reading, and forgets those that are not needed any more.
    pub(super) fn keep(&mut self, now: Time, sample: Sample) {
        let enough = self.period * 9 / 10;
        while self.readings.len() >= MOST
            || self.readings.get(1).is_some_and(|(second, _)| now.since(*second) >= enough)
        {
            self.readings.pop_front();
        }
        self.readings.push_back((now, sample));
    }

    /// The newest reading.
    pub(super) fn newest(&self) -> Option<&Sample> {
        self.readings.back().map(|(_, sample)| sample)
    }

    /// The reading to compare the newest with, and the time between; nothing while there is but one.
    pub(super) fn base(&self) -> Option<(&Sample, Duration)> {
        let (first, base) = self.readings.front()?;
        let (last, _) = self.readings.back()?;
        let elapsed = last.since(*first);
        (!elapsed.is_zero()).then_some((base, elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time(Duration::from_millis(millis))
    }

    #[test]
    fn readings_out_of_turn_do_not_shorten_the_time_that_rates_are_taken_over() {
        let mut history = History::new(Duration::from_secs(1));
        assert!(history.base().is_none());
        for millis in [0, 1000, 2000, 2005, 2007] {
            let snapshot = Snapshot { flows: millis, ..Snapshot::default() };
            history.keep(at(millis), Sample { snapshot, ..Sample::default() });
        }
        let (base, elapsed) = history.base().unwrap();
        assert_eq!((base.snapshot.flows, elapsed), (1000, Duration::from_millis(1007)));
        assert_eq!(history.newest().unwrap().snapshot.flows, 2007);
    }

    #[test]
    fn a_storm_of_readings_is_bounded() {
        let mut history = History::new(Duration::from_secs(60));
        (0..10_000).for_each(|millis| history.keep(at(millis), Sample::default()));
        assert_eq!(history.readings.len(), MOST);
    }
}
