//! Closed-loop calls: on each of some connections the next request starts when the last was answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::cpu::Cpu;
use super::exchange::Exchange;
use super::others::Others;
use super::run::Run;
use super::tally::Tally;
use super::workload::Workload;

/// How long after the end of a run the last answers may take; what takes longer is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection rests after an error, so that errors do not crowd out the others.
const REST: Duration = Duration::from_millis(10);

/// What is called, how, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Where users call.
    pub target: SocketAddr,
    /// What they ask for.
    pub workload: Workload,
    /// The server that must answer, by the name it gives.
    pub node: String,
    /// Seconds at the beginning in which nothing but errors counts.
    pub warm_up: f64,
    /// Seconds in which requests are counted, after that.
    pub seconds: f64,
    /// Threads that share the connections, at least one.
    pub threads: usize,
    /// Network namespaces by inode: what runs elsewhere has no part in the benchmark.
    pub own: Vec<u64>,
}

/// The time in which requests are counted.
#[derive(Debug, Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

/// Calls from the network namespace of the calling thread, and waits for the last answer.
///
/// # Errors
/// If no thread or runtime can be started, or the times are none. What goes wrong with requests is in the [`Run`].
pub fn call(call: &Call) -> Result<Run> {
    let time =
        |seconds| Duration::try_from_secs_f64(seconds).with_context(|| format!("{seconds} s is no time"));
    let (warm_up, counted) = (time(call.warm_up)?, time(call.seconds)?);
    let exchange = Arc::new(Exchange::new(call.workload, call.target, &call.node));
    let threads = call.threads.max(1);
    let begin = Instant::now() + warm_up;
    let window = Window { begin, end: begin + counted };
    let (tally, measured, cpu) = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..threads)
            .map(|thread| {
                let connections = part(call.workload.connections(), threads, thread);
                let exchange = Arc::clone(&exchange);
                scope.spawn(move || run(&exchange, connections, window))
            })
            .collect();
        let (measured, cpu) = measure(window, &Others::new(&call.own))?;
        let mut tally = Tally::default();
        for caller in callers {
            tally.add(caller.join().map_err(|_| anyhow!("a thread of the caller panicked"))??);
        }
        anyhow::Ok((tally, measured, cpu))
    })?;
    Ok(Run::new(tally, call.workload.payload(), counted, measured, cpu))
}

/// How many of `all` belong to this one of so many threads.
fn part(all: usize, threads: usize, thread: usize) -> usize {
    all / threads + usize::from(thread < all % threads)
}

/// What the processors spent in the window, and how long that was.
fn measure(window: Window, others: &Others) -> Result<(Duration, Cpu)> {
    std::thread::sleep(window.begin.saturating_duration_since(Instant::now()));
    let (start, before) = (Instant::now(), Cpu::now(others)?);
    std::thread::sleep(window.end.saturating_duration_since(Instant::now()));
    Ok((start.elapsed(), Cpu::now(others)?.since(before)))
}

/// One thread with its connections.
fn run(exchange: &Arc<Exchange>, connections: usize, window: Window) -> Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime for calls")?;
    let tally = Arc::new(Mutex::new(Tally::default()));
    let left = runtime.block_on(async {
        let mut under_way = JoinSet::new();
        for _ in 0..connections {
            under_way.spawn(call_on(Arc::clone(exchange), Arc::clone(&tally), window));
        }
        let all = async { while under_way.join_next().await.is_some() {} };
        // Those that are left behind have told nothing, not even an error.
        let _ = tokio::time::timeout_at((window.end + PATIENCE).into(), all).await;
        under_way.len()
    });
    drop(runtime);
    let mut tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    for _ in 0..left {
        tally.error(format!("no whole answer within {PATIENCE:?} of the end"));
    }
    Ok(tally)
}

/// One connection at a time, request after request until the end of the window.
async fn call_on(exchange: Arc<Exchange>, tally: Arc<Mutex<Tally>>, window: Window) {
    let mut buffer = exchange.buffer();
    let mut connection = None;
    let mut start = Instant::now();
    while start < window.end {
        let outcome = exchange.once(&mut connection, &mut buffer).await;
        let mut now = Instant::now();
        match outcome {
            Ok(()) if window.begin <= now && now < window.end => {
                tally.lock().unwrap_or_else(PoisonError::into_inner).answered(now - start);
            }
            Ok(()) => {}
            Err(reason) => {
                tally.lock().unwrap_or_else(PoisonError::into_inner).error(reason);
                tokio::time::sleep(REST).await;
                now = Instant::now();
            }
        }
        start = now;
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::bench::serve;

    fn short(target: SocketAddr, workload: Workload, node: &str) -> Call {
        Call { target, workload, node: node.to_owned(), warm_up: 0.05, seconds: 0.5, threads: 2, own: vec![] }
    }

    #[test]
    fn connections_are_divided_among_threads_and_none_is_lost() {
        assert_eq!([0, 1, 2].map(|thread| part(32, 3, thread)), [11, 11, 10]);
        assert_eq!([0, 1].map(|thread| part(1, 2, thread)), [1, 0]);
    }

    #[test]
    fn every_workload_gets_right_answers_from_the_server() {
        let server = serve("here", ([127, 0, 0, 1], 0).into(), 2).unwrap();
        for workload in Workload::ALL {
            let run = call(&short(server.address(), workload, "here")).unwrap();
            assert_eq!(run.errors, [].into(), "{workload:?}");
            assert!(run.requests > 0 && run.p50_us <= run.p99_us && run.p99_us <= run.max_us, "{run:?}");
            assert_eq!(run.bytes, run.requests * workload.payload() as u64, "{workload:?}");
        }
    }

    #[test]
    fn answers_of_another_server_are_errors() {
        let server = serve("there", ([127, 0, 0, 1], 0).into(), 1).unwrap();
        let run = call(&short(server.address(), Workload::Keepalive, "here")).unwrap();
        assert_eq!(run.requests, 0);
        assert!(run.errors["answered by \"there\" and not by \"here\""] >= 32, "{:?}", run.errors);
    }

    #[test]
    fn a_server_that_is_not_there_is_an_error_of_every_connection() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let run = call(&short(free, Workload::Connect, "here")).unwrap();
        assert!(run.errors["connect: connection refused"] >= 32, "{:?}", run.errors);
        assert_eq!(run.errors["no request was answered in time"], 1);
    }

    #[test]
    fn times_that_are_none_are_refused() {
        let nowhere = ([127, 0, 0, 1], 1).into();
        for seconds in [-1.0, f64::NAN, 1e30] {
            let error = call(&Call { seconds, ..short(nowhere, Workload::Connect, "") }).unwrap_err();
            assert!(error.to_string().ends_with("s is no time"), "{error}");
        }
    }
}
