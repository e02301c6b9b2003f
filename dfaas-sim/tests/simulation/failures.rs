//! What becomes of a federation in which something fails.

use dfaas_sim::{Outcome, Scenario, run};

/// Four nodes of two processors, all neighbours. Node 0 is asked for one and a half times what it has, the others for a
/// tenth; `failure` begins after 10 s.
fn four(failure: &str) -> Scenario {
    let rates: String = [(0, 100.0), (1, 7.0), (2, 7.0), (3, 7.0)]
        .map(|(node, rate)| {
            format!("[[load.rates]]\nnode = {node}\nfunction = \"thirty\"\nrate = {rate:?}\n")
        })
        .concat();
    let text = format!(
        r#"
warmup = "35s"
duration = "40s"
[nodes]
count = 4
cores = [2]
patience = 0.9
[network]
everybody = true
rtt = "4ms"
[[functions]]
name = "thirty"
cpu = "30ms"
[[failures]]
at = "10s"
{failure}
[load]
{rates}"#
    );
    Scenario::parse(&text).expect("a sound scenario")
}

fn lease(failure: &str) -> Outcome {
    run(&four(failure), "lease", 1).expect("a run")
}

/// The part of what users of a node asked for between two seconds that was answered in time, and the part that was
/// forwarded.
fn between(outcome: &Outcome, node: usize, from: usize, to: usize) -> (f64, f64) {
    let seconds = &outcome.series[node][from..to];
    let sum = |of: fn(&dfaas_sim::outcome::Second) -> u32| seconds.iter().map(of).sum::<u32>();
    let asked = f64::from(sum(|second| second.asked)).max(1.0);
    (f64::from(sum(|second| second.in_time)) / asked, f64::from(sum(|second| second.forwarded)) / asked)
}

#[test]
fn a_peer_that_is_gone_is_forgotten_and_those_that_are_left_do_its_part() {
    let outcome = lease("what = \"kill\"\nnodes = [1]");
    assert!(between(&outcome, 0, 0, 9).0 > 0.99);
    // What was on its way is lost, and what is sent before the node is missed comes too late.
    assert!(between(&outcome, 0, 10, 15).0 < 0.99, "it is not for free");
    assert!(between(&outcome, 0, 20, 40).0 > 0.99, "{:?}", between(&outcome, 0, 20, 40));
    assert_eq!(between(&outcome, 1, 10, 40).0, 0.0, "its own users are alone");
    assert!(outcome.ends.lost > 0);
}

#[test]
fn a_node_that_comes_back_serves_its_users_and_helps_again() {
    let outcome = lease("until = \"20s\"\nwhat = \"kill\"\nnodes = [1, 2, 3]");
    let alone = between(&outcome, 0, 15, 19);
    assert!(alone.0 < 0.8 && alone.1 == 0.0, "nobody helps: {alone:?}");
    assert!(between(&outcome, 1, 21, 40).0 > 0.99);
    assert!(between(&outcome, 0, 30, 40).0 > 0.98, "{:?}", between(&outcome, 0, 30, 40));
}

#[test]
fn behind_a_partition_a_node_serves_what_it_can() {
    let outcome = lease("until = \"25s\"\nwhat = \"partition\"\nnodes = [0]");
    let cut = between(&outcome, 0, 16, 24);
    // 67 of its 100 requests a second fit its processors, as far as they are not in each other's way.
    assert!(cut.1 == 0.0 && cut.0 > 0.6 && cut.0 < 0.72, "{cut:?}");
    assert!(between(&outcome, 0, 32, 40).0 > 0.99, "{:?}", between(&outcome, 0, 32, 40));
}

#[test]
fn a_peer_that_takes_and_never_answers_loses_what_it_is_trusted_with() {
    let outcome = lease("what = \"black-hole\"\nnodes = [1]");
    let (before, first, later) =
        (between(&outcome, 0, 0, 9), between(&outcome, 0, 11, 14), between(&outcome, 0, 25, 40));
    assert!(before.0 > 0.99 && first.0 < 0.95, "{before:?} {first:?}");
    assert!(later.0 > first.0 && later.0 > 0.95, "{first:?} {later:?}");
}

#[test]
fn a_peer_that_becomes_slow_is_given_less() {
    let slow = lease("what = \"slow\"\nfactor = 4.0\nnodes = [1]");
    assert!(between(&slow, 0, 25, 40).0 > 0.97, "{:?}", between(&slow, 0, 25, 40));
}

#[test]
fn a_node_that_joins_late_is_found_and_used() {
    let outcome = lease("what = \"join\"\nnodes = [1, 2, 3]");
    assert!(between(&outcome, 0, 0, 9).1 == 0.0 && between(&outcome, 0, 2, 9).0 < 0.8);
    assert!(between(&outcome, 0, 25, 40).0 > 0.98, "{:?}", between(&outcome, 0, 25, 40));
}
