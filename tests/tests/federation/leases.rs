//! The default strategy under the load of the CloudNet 2021 article: nodes that serve 10, 16 and 24 invocations a second,
//! all load into the first.

use std::time::Duration;

use dfaas_tests::Node;
use dfaas_tests::load::{self, Load, Report};
use dfaas_tests::settings::Function;

use crate::site::{Site, failures, ok_share, served};

const CAPACITIES: [u32; 3] = [10, 16, 24];

/// Seconds after which a change of the load is dealt with, and the weights have come to rest.
const SETTLED: usize = 3;

/// The parts of the function that go to each backend by the plan in force, when asked.
struct Weights {
    second: usize,
    parts: Vec<(String, f64)>,
}

impl Weights {
    fn of(node: &Node, second: usize) -> Self {
        let plans = node.json("plan").unwrap();
        let shares = plans["plans"][0]["shares"].as_array().cloned().unwrap_or_default();
        let part = |share: &serde_json::Value| {
            let part = share["part"].as_f64().unwrap() / 65_536.0;
            (share["backend"].as_str().unwrap().to_owned(), part)
        };
        let mut parts: Vec<(String, f64)> = shares.iter().map(part).collect();
        parts.sort_by(|a, b| a.0.cmp(&b.0));
        Self { second, parts }
    }

    fn part(&self, backend: &str) -> f64 {
        self.parts.iter().find(|(name, _)| name == backend).map_or(0.0, |(_, part)| *part)
    }
}

/// A load that doubles after `change` seconds, and the weights of the first node once a second.
fn step(first: f64, change: u64, seconds: u64) -> (Report, Vec<Weights>) {
    let mut site = Site::start(&CAPACITIES, |index, _, agent, gateway| {
        (agent.strategy, agent.period) = ("lease".to_owned(), "1s".to_owned());
        let capacity = f64::from(CAPACITIES[usize::from(index) - 1]);
        gateway.functions.insert("figlet".to_owned(), Function::echo_at_most(capacity).labelled(capacity));
    });
    let mut load = Load::new(site.nodes[0].address(), "figlet", first, Duration::from_secs(seconds));
    load.later = Some((Duration::from_secs(change), 2.0 * first));
    load.timeout = Duration::from_secs(8);
    let mut running = load::start(&site.lab.users(1), load).unwrap();
    let last = usize::try_from(seconds).unwrap() - 1;
    let weights = (1..=last).map(|second| {
        running.wait_until(second);
        Weights::of(&site.nodes[0], second)
    });
    let weights = weights.collect();
    let report = running.finish().unwrap();
    site.check();
    (report, weights)
}

#[test]
fn a_load_that_doubles_is_shared_after_three_seconds_and_the_weights_are_at_rest() {
    let (change, end) = (8, 24);
    let (report, weights) = step(22.5, 8, 24);
    assert_eq!(report.total().failed, 0, "{}", failures(&report));
    for settled in [&report.seconds()[SETTLED..change], &report.seconds()[change + SETTLED..end]] {
        assert!(ok_share(settled) >= 0.99, "{} of {settled:?}", ok_share(settled));
    }
    let settled = &report.seconds()[change + SETTLED..end];
    for (index, capacity) in (1..).zip(CAPACITIES) {
        let rate = served(settled, index);
        assert!(rate <= f64::from(capacity) + 0.5, "node {index} serves {rate} of {capacity} a second");
    }
    let steady: Vec<&Weights> = weights.iter().filter(|weights| weights.second > change + SETTLED).collect();
    assert!(steady.len() >= 8, "the plan was read {} times", steady.len());
    for backend in ["local", "node-2", "node-3"] {
        let parts = || steady.iter().map(|weights| weights.part(backend));
        let (least, most) = parts().fold((1.0_f64, 0.0_f64), |(a, b), part| (a.min(part), b.max(part)));
        let all: Vec<f64> = parts().collect();
        assert!(most - least < 0.05, "the part of {backend} moves from {least} to {most}: {all:?}");
    }
}
