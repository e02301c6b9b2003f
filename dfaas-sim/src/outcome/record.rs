use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::settle::settled;
use super::{Latencies, Outcome, Second, ServedBy};
use crate::engine::Passed;
use crate::federation::{Federation, Nanos, nanos};
use crate::scenario::Scenario;

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was served.
    Answered,
    /// 429 by the kernel of the user's node.
    Limited,
    /// 503 by the kernel of the user's node.
    Unavailable,
    /// 429 by the kernel of the peer, as a function's limit was spent there.
    PeerLimited,
    /// 429 by a gateway that would have answered too late.
    Full,
    /// The node is gone, or nothing came back.
    Lost,
}

/// Numbers of requests by their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ends {
    /// Served within the deadline.
    pub in_time: u64,
    /// Served later.
    pub late: u64,
    /// [`End::Limited`].
    pub limited: u64,
    /// [`End::Unavailable`].
    pub unavailable: u64,
    /// [`End::PeerLimited`].
    pub peer_limited: u64,
    /// [`End::Full`].
    pub full: u64,
    /// [`End::Lost`].
    pub lost: u64,
}

impl Ends {
    /// All of them.
    pub fn sum(&self) -> u64 {
        self.in_time + self.late + self.rejected() + self.lost
    }

    /// Those answered 429 or 503.
    pub fn rejected(&self) -> u64 {
        self.limited + self.unavailable + self.peer_limited + self.full
    }
}

/// What is counted while a run goes.
#[derive(Debug)]
pub(crate) struct Record {
    begin: Nanos,
    end: Nanos,
    asked: u64,
    ends: Ends,
    forwarded: u64,
    work_asked: u64,
    work_in_time: u64,
    bytes: u64,
    times: Histogram<u64>,
    time_sum: Nanos,
    digest: Digest,
    series: Vec<Vec<Second>>,
    served: ServedBy,
}

/// Longest time to an answer that is told apart (us).
const LONGEST: u64 = 600_000_000;

impl Record {
    pub(crate) fn new(nodes: usize, begin: Nanos, end: Nanos) -> Self {
        let seconds = (end - begin).div_ceil(1_000_000_000) as usize;
        // The bounds are constants that the library takes: 3 digits, and a range of more than two.
        #[expect(clippy::expect_used, reason = "constants")]
        let times = Histogram::new_with_bounds(1, LONGEST, 3).expect("constant bounds");
        Self {
            begin,
            end,
            asked: 0,
            ends: Ends::default(),
            forwarded: 0,
            work_asked: 0,
            work_in_time: 0,
            bytes: 0,
            times,
            digest: Digest::default(),
            time_sum: 0,
            series: vec![vec![Second::default(); seconds]; nodes],
            served: ServedBy::new(nodes),
        }
    }

    fn second(&mut self, node: u32, at: Nanos) -> &mut Second {
        &mut self.series[node as usize][((at - self.begin) / 1_000_000_000) as usize]
    }

    /// A user has asked.
    pub(crate) fn asked(&mut self, request: &Passed) {
        if request.asked < self.begin {
            return;
        }
        self.asked += 1;
        self.work_asked += request.cpu;
        self.second(request.origin, request.asked).asked += 1;
    }

    /// A request has ended, and the user knows at this moment.
    pub(crate) fn ended(&mut self, request: &Passed, end: End, at: Nanos, deadline: Nanos) {
        for part in [at, u64::from(request.origin) << 32 | u64::from(request.at), end as u64] {
            self.digest.add(part);
        }
        if request.asked < self.begin {
            return;
        }
        let time = at - request.asked;
        let in_time = end == End::Answered && time <= deadline;
        let count = match end {
            End::Answered if in_time => &mut self.ends.in_time,
            End::Answered => &mut self.ends.late,
            End::Limited => &mut self.ends.limited,
            End::Unavailable => &mut self.ends.unavailable,
            End::PeerLimited => &mut self.ends.peer_limited,
            End::Full => &mut self.ends.full,
            End::Lost => &mut self.ends.lost,
        };
        *count += 1;
        self.forwarded += u64::from(request.forwarded);
        if in_time {
            self.work_in_time += request.cpu;
            self.served.add(request.origin, request.at);
        }
        if end == End::Answered {
            self.time_sum += time;
            self.times.saturating_record((time / 1000).max(1));
        }
        let second = self.second(request.origin, request.asked);
        second.in_time += u32::from(in_time);
        second.forwarded += u32::from(request.forwarded);
        second.rejected += u32::from(!matches!(end, End::Answered | End::Lost));
    }

    /// A node has said so many bytes.
    pub(crate) fn said(&mut self, now: Nanos, bytes: u64) {
        if now >= self.begin && now < self.end {
            self.bytes += bytes;
        }
    }

    /// What a node's plans keep at home, and its processors at work.
    pub(crate) fn plan(&mut self, now: Nanos, node: usize, local: f64, busy: u32) {
        let second = self.second(node as u32, now);
        (second.local, second.busy) = (local, busy);
    }

    /// Whether as many ended as were asked for.
    pub(crate) fn is_balanced(&self) -> bool {
        self.asked == self.ends.sum()
    }

    pub(crate) fn ends(&self) -> &Ends {
        &self.ends
    }

    pub(crate) fn outcome(self, scenario: &Scenario, federation: &Federation, overflowed: u64) -> Outcome {
        let part = |some: u64, all: u64| if all > 0 { some as f64 / all as f64 } else { 1.0 };
        let of_asked = |some: u64| if self.asked > 0 { some as f64 / self.asked as f64 } else { 0.0 };
        let quantile = |quantile: f64| self.times.value_at_quantile(quantile) as f64 / 1e3;
        let seconds = (self.end - self.begin) as f64 / 1e9;
        let step = scenario.load.step.iter().map(|step| step.at);
        let change = step.chain(scenario.failures.iter().map(|failure| failure.at)).min();
        let rate = |node: usize, second: usize| -> f64 {
            let at = self.begin + second as u64 * 1_000_000_000;
            let later =
                (0..federation.rates.pieces()).take_while(|piece| federation.rates.begins(*piece) <= at);
            federation.rates.of(later.last().unwrap_or(0), node).iter().sum()
        };
        Outcome {
            requests: self.asked,
            goodput: part(self.ends.in_time, self.asked),
            work: part(self.work_in_time, self.work_asked),
            mean: self.time_sum as f64 / 1e6 / (self.ends.in_time + self.ends.late).max(1) as f64,
            p50: quantile(0.50),
            p95: quantile(0.95),
            p99: quantile(0.99),
            forwarded: of_asked(self.forwarded),
            overflowed: of_asked(overflowed),
            ends: self.ends,
            control_bytes_per_node_s: self.bytes as f64 / seconds / federation.nodes() as f64,
            settle_s: change.and_then(|at| settled(&self.series, rate, (nanos(at) / 1_000_000_000) as usize)),
            digest: self.digest.value(),
            series: self.series,
            latencies: Latencies::of(&self.times),
            served: self.served.into_rows(),
        }
    }
}
