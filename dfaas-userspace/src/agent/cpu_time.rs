//! Processor time of one invocation, from what a function's containers used and how many it completed.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::Time;

/// Completions that a mean is taken over, at least: of fewer, those at the edges of the window say more than those
/// within.
const ENOUGH: u64 = 5;

/// A window without so many is given up, so that what containers use while they idle is not put on a few invocations.
const LONGEST: Duration = Duration::from_secs(10);

/// Totals of one function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Totals {
    /// Processor time that its containers used.
    pub used: Duration,
    /// Invocations that were completed.
    pub completed: u64,
}

/// A mean for each function over the last window in which enough was completed.
#[derive(Debug, Default)]
pub(super) struct CpuTimes(BTreeMap<String, Window>);

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Time,
    at: Totals,
}

impl CpuTimes {
    /// Takes the functions' totals at `now`; the mean processor time of one invocation where a window is full.
    pub(super) fn take(
        &mut self,
        now: Time,
        totals: &BTreeMap<String, Totals>,
    ) -> BTreeMap<String, Duration> {
        self.0.retain(|name, _| totals.contains_key(name));
        totals.iter().filter_map(|(name, at)| Some((name.clone(), self.one(now, name, *at)?))).collect()
    }

    fn one(&mut self, now: Time, name: &str, at: Totals) -> Option<Duration> {
        let fresh = Window { since: now, at };
        let Some(window) = self.0.get_mut(name) else {
            self.0.insert(name.to_owned(), fresh);
            return None;
        };
        let completed = at.completed.checked_sub(window.at.completed);
        // Totals that fell are those of new containers, or of a new data plane.
        let (Some(completed), Some(used)) = (completed, at.used.checked_sub(window.at.used)) else {
            *window = fresh;
            return None;
        };
        if completed >= ENOUGH {
            *window = fresh;
            return used.checked_div(u32::try_from(completed).unwrap_or(u32::MAX));
        }
        if now.since(window.since) >= LONGEST {
            *window = fresh;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is measured of one function whose totals (ms, completions) are these, a second apart.
    fn measured(totals: &[(u64, u64)]) -> Vec<Option<u128>> {
        let mut times = CpuTimes::default();
        let at = |(second, (used, completed)): (u64, &(u64, u64))| {
            let totals = Totals { used: Duration::from_millis(*used), completed: *completed };
            let totals = [("figlet".to_owned(), totals)].into();
            let taken = times.take(Time(Duration::from_secs(second)), &totals);
            taken.get("figlet").map(Duration::as_millis)
        };
        (0..).zip(totals).map(at).collect()
    }

    #[test]
    fn it_is_the_time_used_for_each_that_was_completed() {
        assert_eq!(measured(&[(500, 7), (800, 17), (1000, 22)]), [None, Some(30), Some(40)]);
    }

    #[test]
    fn few_completions_are_gathered_over_several_ticks() {
        assert_eq!(measured(&[(0, 0), (20, 2), (40, 4), (60, 6)]), [None, None, None, Some(10)]);
    }

    #[test]
    fn what_containers_use_while_they_idle_is_nobodys() {
        let mut totals: Vec<(u64, u64)> = (0..=10).map(|second| (second * 50, 0)).collect();
        totals.push((600, 10));
        assert_eq!(measured(&totals).last(), Some(&Some(10)), "the window of before was given up");
    }

    #[test]
    fn new_containers_begin_a_new_window() {
        assert_eq!(measured(&[(900, 100), (5, 110), (105, 120)]), [None, None, Some(10)]);
        assert_eq!(measured(&[(900, 100), (950, 3), (1000, 13)]), [None, None, Some(5)]);
    }

    #[test]
    fn a_function_that_is_gone_is_forgotten() {
        let mut times = CpuTimes::default();
        let totals = [("a".to_owned(), Totals { used: Duration::ZERO, completed: 0 })].into();
        times.take(Time::default(), &totals);
        times.take(Time::default(), &BTreeMap::new());
        assert!(times.0.is_empty());
    }
}
