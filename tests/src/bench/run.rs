//! The outcome of one run of a workload.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cpu::Cpu;
use super::tally::Tally;

/// What a run gave. Requests count that ended within its time; errors count whenever they happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Requests answered rightly.
    pub requests: u64,
    /// Bytes of their bodies or answers, the larger of the two.
    pub bytes: u64,
    /// Seconds in which they were counted.
    pub seconds: f64,
    /// Microseconds from the beginning of a request, its connecting included, to the last byte of the answer: median.
    pub p50_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
    /// Microseconds that all processors of the machine spent for each request, in users, servers, agents and the kernel;
    /// without what other programs took.
    pub cpu_us_per_request: f64,
    /// Part of the processors' time in which they were at work, 0 to 1.
    pub busy_share: f64,
    /// Part of it that went to other machines, 0 to 1.
    pub stolen_share: f64,
    /// Part of it that programs took which have no part in the benchmark, 0 to 1.
    pub others_share: f64,
    /// What went wrong, with how often.
    pub errors: BTreeMap<String, u64>,
}

impl Run {
    /// Of what was counted in `counted`, of requests of `payload` bytes, and of the processors' time in `measured`.
    pub(super) fn new(
        mut tally: Tally,
        payload: usize,
        counted: Duration,
        measured: Duration,
        cpu: Cpu,
    ) -> Self {
        let requests = tally.requests();
        if requests == 0 {
            tally.error("no request was answered in time".to_owned());
        }
        let [p50_us, p99_us, max_us] = tally.percentiles([50.0, 99.0, 100.0]);
        // The processors were read a little before and after the time in which requests were counted.
        let own_us = cpu.own().as_secs_f64() * 1e6 * ratio(counted, measured);
        Self {
            requests,
            bytes: requests * payload as u64,
            seconds: counted.as_secs_f64(),
            p50_us,
            p99_us,
            max_us,
            cpu_us_per_request: own_us / requests.max(1) as f64,
            busy_share: cpu.busy_share(),
            stolen_share: cpu.stolen_share(),
            others_share: cpu.others_share(),
            errors: tally.into_errors(),
        }
    }

    /// How many things went wrong.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Requests a second.
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Millions of bytes a second.
    pub fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.seconds
    }
}

fn ratio(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 1.0 } else { part.as_secs_f64() / whole.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn processors_are_charged_for_the_time_in_which_requests_were_counted() {
        let mut tally = Tally::default();
        (1..=1000).for_each(|us| tally.answered(Duration::from_micros(us)));
        let (busy, others) = (seconds(2.75), seconds(0.55));
        let cpu = Cpu { busy, others, stolen: seconds(0.11), total: seconds(5.5) };
        let run = Run::new(tally, 5000, seconds(2.0), seconds(2.2), cpu);
        assert_eq!((run.requests, run.p50_us, run.p99_us, run.max_us), (1000, 500, 990, 1000));
        assert_eq!((run.requests_per_second(), run.megabytes_per_second()), (500.0, 2.5));
        assert!((run.cpu_us_per_request - 2000.0).abs() < 1e-6, "2.0 s for 1000: {}", run.cpu_us_per_request);
        assert_eq!((run.busy_share, run.failed()), (0.5, 0));
    }

    #[test]
    fn a_run_without_an_answer_is_an_error_and_has_numbers_all_the_same() {
        let run = Run::new(Tally::default(), 32, seconds(1.0), Duration::ZERO, Cpu::default());
        assert_eq!((run.failed(), run.requests_per_second(), run.cpu_us_per_request), (1, 0.0, 0.0));
        let text = serde_json::to_string(&run).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
    }
}
