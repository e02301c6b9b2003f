//! Closed loop: each of some workers starts its next invocation when its last one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Load;
use super::invocation::{Verdict, invoke};
use super::report::Report;
use super::schedule::second;

/// Sends `count` invocations as fast as `workers` at a time can, from wherever the caller's runtime makes its sockets.
/// Rate, duration and bound of the load are not used; an invocation is due when it starts.
pub async fn run_closed(load: Load, workers: usize, count: usize) -> Report {
    let (load, next) = (Arc::new(load), Arc::new(AtomicUsize::new(0)));
    let start = Instant::now();
    let mut under_way = JoinSet::new();
    for _ in 0..workers {
        let (load, next) = (Arc::clone(&load), Arc::clone(&next));
        under_way.spawn(async move {
            let mut outcomes = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return outcomes;
                }
                let source = load.sources.get(n % load.sources.len().max(1)).copied();
                let due = Instant::now();
                let verdict = invoke(&load, source).await;
                outcomes.push((due - start, due.elapsed(), verdict));
            }
        });
    }
    let mut report = Report::default();
    while let Some(outcomes) = under_way.join_next().await {
        let failed = |error| {
            let reason = format!("the load generator failed: {error}");
            vec![(Duration::ZERO, Duration::ZERO, Verdict::Failed { reason })]
        };
        for (due, latency, verdict) in outcomes.unwrap_or_else(failed) {
            report.sent(second(due), Duration::ZERO);
            report.record(second(due), latency, verdict);
        }
    }
    report
}
