//! Sends a load.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::Load;
use super::report::{Report, Second};
use super::schedule::{Schedule, second};
use super::under_way::UnderWay;
use crate::namespace::Namespace;

/// State of a running load, published once a second.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Whole seconds since the start.
    pub elapsed: usize,
    /// What is known so far, by the second in which invocations were due.
    pub seconds: Vec<Second>,
}

/// A load that runs on a thread of its own.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<Result<Report>>,
    progress: watch::Receiver<Progress>,
}

impl Running {
    /// Whether all outcomes are known.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// The newest state, if it was not yet seen.
    pub fn progress(&mut self) -> Option<Progress> {
        let newer = self.progress.has_changed().unwrap_or(false);
        newer.then(|| self.progress.borrow_and_update().clone())
    }

    /// Waits until it has gone on for so many seconds.
    ///
    /// # Panics
    /// If it ends before.
    pub fn wait_until(&mut self, seconds: usize) {
        loop {
            if self.progress().is_some_and(|progress| progress.elapsed >= seconds) {
                return;
            }
            assert!(!self.is_finished(), "the load ended before second {seconds}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the last outcome.
    pub fn finish(self) -> Result<Report> {
        self.thread.join().map_err(|_| anyhow!("the load generator panicked"))?
    }
}

/// Starts a load inside a namespace.
pub fn start(namespace: &Namespace, load: Load) -> Result<Running> {
    let (sender, progress) = watch::channel(Progress::default());
    let thread = namespace.spawn_async(move || run(load, Some(sender))).context("cannot start the load")?;
    Ok(Running { thread, progress })
}

/// Sends a load from wherever the caller's runtime makes its sockets, and waits for every outcome.
pub async fn run(load: Load, live: Option<watch::Sender<Progress>>) -> Report {
    let schedule = Schedule::new(load.rate, load.duration, load.later);
    let load = Arc::new(load);
    let mut report = Report::default();
    let mut under_way = UnderWay::new();

    let start = Instant::now();
    let mut tick = interval_at(start + Duration::from_secs(1), Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut next = 0;
    loop {
        let due = schedule.due(next);
        if due.is_none() && under_way.is_empty() {
            break;
        }
        tokio::select! {
            () = sleep_until(start + due.unwrap_or_default()), if due.is_some() => {
                let due = due.unwrap_or_default();
                let (at, second) = (start + due, second(due));
                report.sent(second, at.elapsed());
                let n = usize::try_from(next).unwrap_or_default();
                let source = load.sources.get(n % load.sources.len().max(1)).copied();
                if let Err(verdict) = under_way.begin(&load, source, (at, second)) {
                    report.record(second, Duration::ZERO, verdict);
                }
                next += 1;
            }
            Some(((at, second), verdict, end)) = under_way.next() => {
                report.record(second, end.saturating_duration_since(at), verdict);
            }
            now = tick.tick() => {
                if let Some(live) = &live {
                    let elapsed = usize::try_from((now - start).as_secs()).unwrap_or(usize::MAX);
                    live.send_replace(Progress { elapsed, seconds: report.seconds().to_vec() });
                }
            }
        }
    }
    report
}
