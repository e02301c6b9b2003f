//! Open loop at moments that are given one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Load;
use super::invocation::Verdict;
use super::under_way::UnderWay;

/// An invocation to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// When it is due, from the start.
    pub at: Duration,
    /// Which of the loads says where it goes and what is sent: its place among them.
    pub load: usize,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What was to be done.
    pub call: Call,
    /// From the moment at which it was due to the end of the answer.
    pub took: Duration,
    /// By how much the generator itself was late in starting it.
    pub behind: Duration,
    /// How it ended.
    pub verdict: Verdict,
}

/// Numbers of invocations so far, for whoever looks on.
#[derive(Debug, Default)]
pub struct Counts {
    /// Due.
    pub sent: AtomicU64,
    /// Answered well.
    pub ok: AtomicU64,
    /// Answered 429 or 503.
    pub rejected: AtomicU64,
    /// Everything else.
    pub failed: AtomicU64,
}

impl Counts {
    fn ended(&self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::Ok { .. } => &self.ok,
            Verdict::Rejected { .. } => &self.rejected,
            Verdict::Failed { .. } => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends `calls`, which are in order of time, from wherever the caller's runtime makes its sockets, and waits for every
/// outcome. Rates and durations of the loads are not used; their bounds are.
pub async fn run_listed(
    loads: Vec<Load>,
    calls: Vec<Call>,
    start: std::time::Instant,
    counts: Arc<Counts>,
) -> Vec<Ended> {
    let loads: Vec<Arc<Load>> = loads.into_iter().map(Arc::new).collect();
    let start = Instant::from_std(start);
    let mut under_way = UnderWay::new();
    let mut ended = Vec::with_capacity(calls.len());
    let mut calls = calls.into_iter().peekable();
    let mut end = |call, took, behind, verdict: Verdict| {
        counts.ended(&verdict);
        ended.push(Ended { call, took, behind, verdict });
    };
    while calls.peek().is_some() || !under_way.is_empty() {
        let due = calls.peek().map(|call| start + call.at);
        tokio::select! {
            () = sleep_until(due.unwrap_or(start)), if due.is_some() => {
                let Some(call) = calls.next() else { continue };
                counts.sent.fetch_add(1, Ordering::Relaxed);
                let behind = (start + call.at).elapsed();
                let Some(load) = loads.get(call.load) else {
                    let reason = format!("not sent: there is no load {}", call.load);
                    end(call, Duration::ZERO, behind, Verdict::Failed { reason });
                    continue;
                };
                let source = load.sources.first().copied();
                if let Err(verdict) = under_way.begin(load, source, (call, behind)) {
                    end(call, Duration::ZERO, behind, verdict);
                }
            }
            Some(((call, behind), verdict, at)) = under_way.next() => {
                end(call, at.saturating_duration_since(start + call.at), behind, verdict);
            }
        }
    }
    ended
}
