//! Users of node 1: some come and go at a fixed rate whatever happens to the others, some keep their connections, some
//! open one after the other and think before they ask.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

use crate::call::{Call, connect};
use crate::site::Site;
use crate::tally::Tally;

/// Most connections of those at a rate that are under way; more have to wait, and the rate is not reached.
const UNDER_WAY: usize = 2000;

/// What users do.
#[derive(Debug, Clone, Default)]
pub struct Users {
    /// Connections a second for one small request each, evenly spaced.
    pub rate: f64,
    /// Connections that are kept.
    pub kept: usize,
    /// Users that open a connection for each request, and wait before and after they ask.
    pub passing: usize,
    /// The mean of each pause.
    pub pause: Duration,
    /// Sizes of the bodies on kept connections, drawn at random; none: small ones.
    pub bodies: Vec<usize>,
}

/// Users that are at it.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Tally>>,
}

impl Users {
    /// Begins beside node 1.
    pub fn start(self, site: &Site) -> Running {
        let (stop, target) = (Arc::<AtomicBool>::default(), site.nodes[0].address());
        let stopped = Arc::clone(&stop);
        let work = move || async move { self.run(target, stopped).await };
        Running { stop, thread: site.lab.users(1).spawn_async(work).unwrap() }
    }

    /// The same for so long; what they got.
    pub fn run_for(self, site: &Site, time: Duration) -> Tally {
        let running = self.start(site);
        std::thread::sleep(time);
        running.finish()
    }

    async fn run(self, target: SocketAddr, stop: Arc<AtomicBool>) -> Tally {
        let shared = Shared { target, stop, tally: Arc::default(), pause: self.pause };
        let mut others = JoinSet::new();
        let bodies = if self.bodies.is_empty() { vec![32] } else { self.bodies };
        let calls: Arc<[Call]> = bodies.into_iter().map(|body| Call::new(body, false)).collect();
        for _ in 0..self.kept {
            others.spawn(shared.clone().keep(Arc::clone(&calls)));
        }
        for _ in 0..self.passing {
            others.spawn(shared.clone().pass());
        }
        let (paced, time) = shared.clone().pace(self.rate).await;
        while let Some(done) = others.join_next().await {
            done.expect("no user panics");
        }
        let tally = std::mem::take(&mut *shared.tally.lock().unwrap());
        Tally { paced, time, ..tally }
    }
}

impl Running {
    /// Ends it and waits for the last answers.
    pub fn finish(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the users' thread does not panic").unwrap()
    }
}

/// What all users of a load share.
#[derive(Debug, Clone)]
struct Shared {
    target: SocketAddr,
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    pause: Duration,
}

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Counts what was asked for at `asked`, not counting the time in which the user thought.
    fn count(&self, outcome: Result<u8, String>, asked: Instant, thought: Duration) {
        self.tally.lock().unwrap().count(outcome, asked.elapsed().saturating_sub(thought));
    }

    /// Begins connections at a rate; how many in which time, once all of them are over.
    async fn pace(self, rate: f64) -> (u64, Duration) {
        let call = Arc::new(Call::new(32, true));
        let mut under_way = JoinSet::new();
        let (begun, mut paced) = (Instant::now(), 0);
        while !self.stopped() {
            let due = (begun.elapsed().as_secs_f64() * rate) as u64;
            while under_way.try_join_next().is_some() {}
            while paced < due && under_way.len() < UNDER_WAY {
                let (shared, call) = (self.clone(), Arc::clone(&call));
                under_way.spawn(async move {
                    let asked = Instant::now();
                    let outcome = call.alone(shared.target, Duration::ZERO).await;
                    shared.count(outcome, asked, Duration::ZERO);
                });
                paced += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let time = begun.elapsed();
        while let Some(done) = under_way.join_next().await {
            done.expect("no user panics");
        }
        (paced, time)
    }

    /// Half to one and a half of the mean pause.
    fn rest(&self, random: &mut SmallRng) -> Duration {
        self.pause.mul_f64(random.random_range(0.5..1.5))
    }

    /// Asks again and again on one connection; an error ends it.
    async fn keep(self, calls: Arc<[Call]>) {
        let mut random = SmallRng::from_os_rng();
        let mut asked = Instant::now();
        let mut stream = match connect(self.target).await {
            Ok(stream) => stream,
            Err(reason) => return self.count(Err(format!("kept: {reason}")), asked, Duration::ZERO),
        };
        while !self.stopped() {
            let outcome = calls[random.random_range(0..calls.len())].on(&mut stream).await;
            let failed = outcome.is_err();
            self.count(outcome.map_err(|reason| format!("kept: {reason}")), asked, Duration::ZERO);
            if failed {
                return;
            }
            tokio::time::sleep(self.rest(&mut random)).await;
            asked = Instant::now();
        }
    }

    /// Opens one connection after the other.
    async fn pass(self) {
        let (mut random, call) = (SmallRng::from_os_rng(), Call::new(32, true));
        while !self.stopped() {
            let (asked, thought) = (Instant::now(), self.rest(&mut random));
            let outcome = call.alone(self.target, thought).await;
            self.count(outcome.map_err(|reason| format!("passing: {reason}")), asked, thought);
            tokio::time::sleep(self.rest(&mut random)).await;
        }
    }
}
