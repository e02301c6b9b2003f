//! A node whose plans begin and cease to share, under load on new and on kept connections.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use dfaas_tests::http::Connection;
use dfaas_tests::load::{self, Load};
use dfaas_tests::settings::{Agent, Function, StaticPeer, node_name};
use nix::sys::signal::Signal;

use crate::federation::{Federation, PATIENCE, eventually, node_of};
use crate::observe::{Metrics, json};

const KEPT: usize = 4;

/// Longest wait for it to be disarmed, which takes half a minute without need.
const REST: Duration = Duration::from_secs(75);

/// A user's connection that carries one request after another until told to stop.
struct Kept {
    served: Arc<Mutex<BTreeSet<String>>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Result<u64>>>,
}

impl Kept {
    fn open(federation: &Federation) -> Self {
        let (served, stop) = (Arc::<Mutex<BTreeSet<String>>>::default(), Arc::<AtomicBool>::default());
        let (seen, stopped) = (served.clone(), stop.clone());
        let target = federation.nodes[0].address();
        let ask = move || async move {
            let mut connection = Connection::open(target).await?;
            let mut answered = 0;
            while !stopped.load(Ordering::Relaxed) {
                let request = hyper::Request::post("/function/echo").header("host", target.to_string());
                let request = request.body(http_body_util::Full::new(Bytes::from_static(b"hello")))?;
                let answer = tokio::time::timeout(PATIENCE, connection.exchange(request)).await;
                let answer = answer.with_context(|| format!("no answer after {answered}"))??;
                anyhow::ensure!(answer.status() == 200 && answer.body() == "hello", "{answer:?}");
                seen.lock().unwrap().insert(node_of(&answer));
                answered += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(answered)
        };
        Self { served, stop, thread: federation.lab.users(1).spawn_async(ask).unwrap() }
    }

    /// The nodes that have served it so far.
    fn served(&self) -> BTreeSet<String> {
        self.served.lock().unwrap().clone()
    }

    /// Every request was answered; how many.
    fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().flatten().unwrap_or_else(|error| panic!("a kept connection: {error:#}"))
    }
}

fn agent(local: f64) -> Agent {
    Agent {
        period: "500ms".to_owned(),
        static_local: local,
        peers: vec![StaticPeer::node(2, 1.0)],
        ..Agent::default()
    }
}

/// The agent of node 1 makes room for one with another share.
fn restart(federation: &mut Federation, local: f64) {
    let node = &federation.nodes[0];
    node.configure_agent(&federation.lab, &agent(local)).unwrap();
    federation.first().end_agent(Some(Signal::SIGQUIT), PATIENCE).unwrap();
    federation.first().start_agent().unwrap();
}

fn armed(federation: &Federation) -> bool {
    Metrics::of(&federation.nodes[0]).get("dfaas_dataplane_armed") == 1.0
}

#[test]
fn plans_begin_and_cease_to_share_and_no_request_on_new_or_kept_connections_fails() {
    let mut federation = Federation::start_with(2, &[("echo", Function::echo())], |index, settings, _| {
        if index == 1 {
            *settings = agent(100.0);
        }
    });
    assert!(!armed(&federation), "{}", json(&federation.nodes[0], "status"));
    let target = federation.nodes[0].address();
    let load = Load::new(target, "echo", 40.0, Duration::from_secs(55));
    let load = load::start(&federation.lab.users(1), load).unwrap();
    let kept: Vec<Kept> = (0..KEPT).map(|_| Kept::open(&federation)).collect();
    let alone: BTreeSet<String> = [node_name(1)].into();
    eventually("all are served here", || kept.iter().all(|kept| kept.served() == alone).then_some(()));

    restart(&mut federation, 50.0);
    eventually("it is armed", || armed(&federation).then_some(()));
    eventually("what was opened while disarmed is shared", || {
        kept.iter().all(|kept| kept.served().len() == 2).then_some(())
    });

    restart(&mut federation, 100.0);
    assert!(armed(&federation), "as the earlier agent left it");
    dfaas_tests::eventually("it is disarmed", REST, || (!armed(&federation)).then_some(()));
    assert!(federation.served_times("echo", 10) == [(node_name(1), 10)].into());
    let report = load.finish().unwrap();
    for kept in kept {
        assert!(kept.finish() > 100, "it went on through all of it");
    }
    let total = report.total();
    assert_eq!((total.failed, total.rejected), (0, 0), "{:?}", report.reasons());
    assert!(total.by_node.len() == 2, "{:?}", total.by_node);
    federation.check();
}
