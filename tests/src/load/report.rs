//! Counting outcomes. No clock and no I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::invocation::Verdict;
use crate::statistics::nearest_rank;

/// Outcomes of the invocations that were due in one second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Seconds from the start of the load.
    pub second: usize,
    /// Invocations due.
    pub sent: u64,
    /// Answered 200, with the right body.
    pub ok: u64,
    /// Answered 429 or 503.
    pub rejected: u64,
    /// Everything else.
    pub failed: u64,
    /// Those that were ok, by the node that served them.
    pub by_node: BTreeMap<String, u64>,
}

impl Second {
    /// Invocations without an outcome yet.
    pub fn outstanding(&self) -> u64 {
        self.sent - self.ok - self.rejected - self.failed
    }
}

/// Outcomes of a whole load.
#[derive(Debug, Clone, Default)]
pub struct Report {
    seconds: Vec<Second>,
    /// Microseconds of those that were ok.
    latencies: Vec<u64>,
    reasons: BTreeMap<String, u64>,
    behind: Duration,
}

impl Report {
    /// Outcomes by the second in which invocations were due.
    pub fn seconds(&self) -> &[Second] {
        &self.seconds
    }

    /// Why invocations were rejected or failed, with how many.
    pub fn reasons(&self) -> &BTreeMap<String, u64> {
        &self.reasons
    }

    /// The longest time by which the generator itself was late in starting an invocation.
    pub fn behind(&self) -> Duration {
        self.behind
    }

    /// The sum over all seconds, under the number of the last.
    pub fn total(&self) -> Second {
        sum(&self.seconds)
    }

    /// Part of the invocations that was answered well, 0 to 1; 0 if none was due.
    pub fn ok_share(&self) -> f64 {
        share(&self.seconds)
    }

    /// The same for the second half of the time.
    pub fn ok_share_last_half(&self) -> f64 {
        share(&self.seconds[self.seconds.len() / 2..])
    }

    /// The latency that `percent` of those that were ok did not exceed (nearest rank); `None` if none was ok.
    pub fn latency(&self, percent: f64) -> Option<Duration> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        nearest_rank(&sorted, percent).map(Duration::from_micros)
    }

    pub(super) fn sent(&mut self, second: usize, behind: Duration) {
        self.behind = self.behind.max(behind);
        self.second(second).sent += 1;
    }

    pub(super) fn record(&mut self, second: usize, latency: Duration, verdict: Verdict) {
        let row = self.second(second);
        match verdict {
            Verdict::Ok { node } => {
                row.ok += 1;
                *row.by_node.entry(node).or_default() += 1;
                self.latencies.push(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
            }
            Verdict::Rejected { reason, .. } => {
                row.rejected += 1;
                *self.reasons.entry(reason).or_default() += 1;
            }
            Verdict::Failed { reason } => {
                row.failed += 1;
                *self.reasons.entry(reason).or_default() += 1;
            }
        }
    }

    fn second(&mut self, second: usize) -> &mut Second {
        while self.seconds.len() <= second {
            self.seconds.push(Second { second: self.seconds.len(), ..Second::default() });
        }
        &mut self.seconds[second]
    }
}

fn sum(seconds: &[Second]) -> Second {
    let mut total = Second::default();
    for row in seconds {
        total.second = row.second;
        total.sent += row.sent;
        total.ok += row.ok;
        total.rejected += row.rejected;
        total.failed += row.failed;
        for (node, count) in &row.by_node {
            *total.by_node.entry(node.clone()).or_default() += count;
        }
    }
    total
}

fn share(seconds: &[Second]) -> f64 {
    let total = sum(seconds);
    if total.sent == 0 { 0.0 } else { total.ok as f64 / total.sent as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(node: &str) -> Verdict {
        Verdict::Ok { node: node.to_owned() }
    }

    #[test]
    fn outcomes_belong_to_the_second_in_which_they_were_due() {
        let mut report = Report::default();
        for second in [0, 0, 1, 3] {
            report.sent(second, Duration::ZERO);
        }
        report.record(3, Duration::from_millis(5), ok("a"));
        report.record(0, Duration::from_millis(1), ok("b"));
        let (reason, node) = ("status 429".to_owned(), String::new());
        report.record(0, Duration::ZERO, Verdict::Rejected { reason, node });
        let rows: Vec<_> = report.seconds().iter().map(|row| (row.sent, row.ok, row.outstanding())).collect();
        assert_eq!(rows, [(2, 1, 0), (1, 0, 1), (0, 0, 0), (1, 1, 0)]);
        assert_eq!(report.total().by_node, [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
    }

    #[test]
    fn shares_tell_the_whole_time_from_its_last_half() {
        let mut report = Report::default();
        for second in 0..4 {
            report.sent(second, Duration::ZERO);
            let verdict = if second < 2 { Verdict::Failed { reason: "x".to_owned() } } else { ok("a") };
            report.record(second, Duration::ZERO, verdict);
        }
        assert_eq!(report.ok_share(), 0.5);
        assert_eq!(report.ok_share_last_half(), 1.0);
        assert_eq!(report.reasons()["x"], 2);
    }

    #[test]
    fn a_load_of_nothing_has_no_latency_and_no_share() {
        let report = Report::default();
        assert_eq!((report.ok_share(), report.ok_share_last_half()), (0.0, 0.0));
        assert_eq!(report.latency(50.0), None);
    }
}
