//! Open-loop load: invocations start at fixed times, whatever happened to those before, each on a connection of its
//! own; latency counts from the time at which an invocation was due. For tests that want as many as possible there is
//! a closed loop beside it, and for users whose moments are known one by one a list.

mod closed;
mod invocation;
mod listed;
mod report;
mod run;
mod schedule;
mod under_way;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

pub use closed::run_closed;
pub use invocation::Verdict;
pub use listed::{Call, Counts, Ended, run_listed};
pub use report::{Report, Second};
pub use run::{Progress, Running, run, start};

/// What is sent, where to and how often.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where users call.
    pub target: SocketAddr,
    /// Name of the function.
    pub function: String,
    /// Invocations a second, evenly spaced.
    pub rate: f64,
    /// For how long.
    pub duration: Duration,
    /// From this moment on so many a second instead.
    pub later: Option<(Duration, f64)>,
    /// Addresses to call from, in turn; empty: the kernel chooses.
    pub sources: Vec<IpAddr>,
    /// The body of every invocation.
    pub body: Bytes,
    /// Whether an answer must be the body that was sent; else any 200 will do.
    pub echoes: bool,
    /// Most invocations under way at one time; one that is due above that is counted as failed and not sent.
    pub max_outstanding: usize,
    /// After this long an invocation has failed.
    pub timeout: Duration,
}

impl Load {
    /// A load on an echo function, with usual limits.
    pub fn new(target: SocketAddr, function: &str, rate: f64, duration: Duration) -> Self {
        Self {
            target,
            function: function.to_owned(),
            rate,
            duration,
            later: None,
            sources: Vec::new(),
            body: Bytes::from_static(b"hello from a user"),
            echoes: true,
            max_outstanding: 2000,
            timeout: Duration::from_secs(10),
        }
    }
}
