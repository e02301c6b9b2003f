//! The same scenario in the simulator and on live nodes comes out alike.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::path::Path;

use dfaas_sim::{Federation, Outcome, Scenario, run_in};
use dfaas_tests::dfaas_binary;
use dfaas_tests::replay::{self, Replay};

/// By how much the parts of the requests that a node serves may differ.
const SHARE: f64 = 0.05;

/// By how much the part that is answered in time may differ.
const SUCCESS: f64 = 0.02;

const SEED: u64 = 1;

/// The parts of all requests that each node has answered in time.
fn shares(outcome: &Outcome) -> Vec<f64> {
    let mut shares = vec![0.0; outcome.series.len()];
    for row in &outcome.served {
        shares[row.by as usize] += row.requests as f64 / outcome.requests as f64;
    }
    shares
}

fn told(name: &str, outcome: &Outcome) -> String {
    let mut text = format!("{name}: {} requests, {:.4} answered in time", outcome.requests, outcome.goodput);
    for (node, share) in shares(outcome).iter().enumerate() {
        write!(text, ", {share:.4} by node {node}").unwrap();
    }
    format!("{text}\n  {:?}, forwarded {:.4}", outcome.ends, outcome.forwarded)
}

/// Both come out alike with this strategy, once they know the load.
fn agree(strategy: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/scenarios/demo.toml");
    let scenario = Scenario::read(&file).unwrap();
    let simulated = run_in(&scenario, &Federation::new(&scenario, SEED), strategy, SEED).unwrap();
    let dfaas = dfaas_binary().unwrap();
    let lived = replay::run(Replay { scenario: &scenario, strategy, seed: SEED, dfaas: &dfaas }, &mut |_| {})
        .unwrap();
    let live = &lived.outcome;
    let both = format!(
        "{strategy}\n{}\n{}\nlive: {:?}, users late by up to {:?}",
        told("simulated", &simulated),
        told("live", live),
        lived.reasons,
        lived.behind
    );
    println!("{both}");
    assert_eq!(live.requests, simulated.requests, "the same users ask\n{both}");
    assert_eq!(live.ends.lost, 0, "nothing fails\n{both}");
    for (node, (live, simulated)) in shares(live).iter().zip(shares(&simulated)).enumerate() {
        assert!((live - simulated).abs() <= SHARE, "the share of node {node} differs\n{both}");
    }
    assert!((live.goodput - simulated.goodput).abs() <= SUCCESS, "success differs\n{both}");
}

#[test]
fn leases_divide_the_load_of_the_demonstration_live_as_they_do_in_the_simulator() {
    agree("lease");
}

#[test]
fn static_shares_lose_live_what_they_lose_in_the_simulator() {
    agree("static");
}
