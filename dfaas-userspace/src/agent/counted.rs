//! What gateways count of their functions, and what follows from two readings of it.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::Time;

use crate::discovery::{Counts, FunctionInfo};

/// A reading that is older than so many times between readings is none.
const KEEPS: u32 = 3;

/// What a gateway's counts say of one function.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    /// Invocations completed since the gateway started.
    pub completed: u64,
    /// Time that these took together.
    pub busy: Duration,
    /// Completed invocations a second; `None` before there are two readings.
    pub completion_rate: Option<f64>,
    /// Mean time that one took; `None` if none was completed between the readings.
    pub service_time: Option<Duration>,
    /// Instances that run.
    pub replicas: Option<u32>,
}

/// The last readings by gateway; `None` is the node's own.
#[derive(Debug)]
pub(super) struct Gatherer {
    poll: Duration,
    readings: BTreeMap<Option<String>, Readings>,
}

#[derive(Debug)]
struct Readings {
    last: (Time, Counts),
    before: Option<(Time, Counts)>,
}

impl Gatherer {
    /// Nothing is known yet; gateways are read every `poll`.
    pub(super) fn new(poll: Duration) -> Self {
        Self { poll, readings: BTreeMap::new() }
    }

    /// A gateway told its counts.
    pub(super) fn take(&mut self, now: Time, gateway: Option<&str>, counts: Counts) {
        let gateway = gateway.map(str::to_owned);
        let before = self.readings.remove(&gateway).map(|readings| readings.last);
        self.readings.insert(gateway, Readings { last: (now, counts), before });
    }

    /// What is known of a function at `now`; `None` if its gateway has told nothing of late.
    pub(super) fn of(&self, now: Time, function: &FunctionInfo) -> Option<Counted> {
        let Readings { last: (at, last), before } = self.readings.get(&function.gateway)?;
        if now.since(*at) > self.poll * KEEPS {
            return None;
        }
        let counts = last.of(&function.spellings);
        let still = Counted {
            completed: counts.completed,
            busy: counts.busy,
            completion_rate: None,
            service_time: None,
            replicas: counts.replicas,
        };
        let Some((then, before)) = before else { return Some(still) };
        let (old, seconds) = (before.of(&function.spellings), at.since(*then).as_secs_f64());
        // Counts that fell are those of a gateway that started again.
        let grown = counts.completed.checked_sub(old.completed).zip(counts.busy.checked_sub(old.busy));
        let Some((completed, busy)) = grown.filter(|_| seconds > 0.0) else { return Some(still) };
        let service_time = u32::try_from(completed)
            .ok()
            .filter(|completed| *completed > 0)
            .map(|completed| busy / completed);
        Some(Counted { completion_rate: Some(completed as f64 / seconds), service_time, ..still })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::{Catalogue, FunctionCounts, ListedFunction};

    const POLL: Duration = Duration::from_secs(5);

    fn figlet() -> FunctionInfo {
        let listed = ListedFunction { name: "figlet".to_owned(), ..ListedFunction::default() };
        Catalogue::new(&[listed], "openfaas-fn", &BTreeMap::new()).functions["figlet"].clone()
    }

    fn counts(completed: u64, busy: u64) -> Counts {
        let counts = FunctionCounts { completed, busy: Duration::from_millis(busy), replicas: Some(2) };
        Counts { functions: [("figlet.openfaas-fn".to_owned(), counts)].into() }
    }

    fn at(seconds: u64) -> Time {
        Time(Duration::from_secs(seconds))
    }

    #[test]
    fn rate_and_time_are_those_between_two_readings() {
        let mut gatherer = Gatherer::new(POLL);
        assert_eq!(gatherer.of(at(0), &figlet()), None);
        gatherer.take(at(0), None, counts(100, 9_000));
        let first = gatherer.of(at(1), &figlet()).unwrap();
        assert_eq!((first.completed, first.completion_rate, first.replicas), (100, None, Some(2)));
        gatherer.take(at(5), None, counts(150, 10_000));
        let second = gatherer.of(at(6), &figlet()).unwrap();
        assert_eq!(second.completion_rate, Some(10.0));
        assert_eq!(second.service_time, Some(Duration::from_millis(20)));
        gatherer.take(at(10), None, counts(150, 10_000));
        let third = gatherer.of(at(10), &figlet()).unwrap();
        assert_eq!((third.completion_rate, third.service_time), (Some(0.0), None));
    }

    #[test]
    fn a_gateway_that_started_again_or_fell_silent_tells_no_rate() {
        let mut gatherer = Gatherer::new(POLL);
        gatherer.take(at(0), None, counts(100, 9_000));
        gatherer.take(at(5), None, counts(3, 10));
        assert_eq!(gatherer.of(at(5), &figlet()).unwrap().completion_rate, None);
        assert!(gatherer.of(at(20), &figlet()).is_some());
        assert_eq!(gatherer.of(at(21), &figlet()), None);
    }

    #[test]
    fn each_function_is_counted_by_its_own_gateway() {
        let mut gatherer = Gatherer::new(POLL);
        gatherer.take(at(0), Some("b"), counts(100, 9_000));
        assert_eq!(gatherer.of(at(0), &figlet()), None);
        let elsewhere = FunctionInfo { gateway: Some("b".to_owned()), ..figlet() };
        assert_eq!(gatherer.of(at(0), &elsewhere).unwrap().completed, 100);
    }
}
