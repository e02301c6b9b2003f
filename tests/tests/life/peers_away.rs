//! Peers that cannot do what they are asked to.

use dfaas_tests::settings::{Function, node_name};

use crate::connection::{in_background, nodes_of};
use crate::federation::{Federation, eventually};
use crate::observe::{Metrics, check, health};

#[test]
fn what_a_peer_without_a_gateway_refuses_is_served_elsewhere() {
    let mut federation = Federation::start(3, &[("echo", Function::echo())]);
    federation.nodes[1].kill_gateway().unwrap();
    let before = Metrics::of(&federation.nodes[0]);
    let by_node = federation.served_times("echo", 40);
    let after = Metrics::of(&federation.nodes[0]);
    assert_eq!(by_node.get(&node_name(2)), None, "{by_node:?}");
    assert_eq!(by_node.len(), 2, "{by_node:?}");

    let grown = |sample: &str| after.get(sample) - before.get(sample);
    // A quarter of them was planned for node 2, give or take.
    assert!((8.0..=12.0).contains(&grown("dfaas_retries_total")), "{}", grown("dfaas_retries_total"));
    for (backend, node) in [("local", 1), ("node-2", 2), ("node-3", 3)] {
        let counted =
            after.invocations("echo", "user", backend) - before.invocations("echo", "user", backend);
        let served = by_node.get(&node_name(node)).copied().unwrap_or(0) as f64;
        // A peer's data port accepts nothing that its gateway refuses.
        assert_eq!(counted, served, "{backend}");
    }

    federation.nodes[1].start_gateway().unwrap();
    let by_node = federation.served_times("echo", 16);
    assert_eq!(by_node.len(), 3, "node 2 serves again: {by_node:?}");
    federation.check();
}

#[test]
fn no_invocation_is_lost_to_a_peer_that_keeps_silent() {
    let mut federation = Federation::start(2, &[("echo", Function::echo())]);
    assert_eq!(federation.served_times("echo", 8).len(), 2);
    let link = |state: &'static str| {
        let set = || std::process::Command::new("ip").args(["link", "set", "dev", "peers0", state]).status();
        assert!(federation.lab.node(2).run(set).unwrap().unwrap().success());
    };
    link("down");
    let before = Metrics::of(&federation.nodes[0]);
    let served = nodes_of(in_background(&federation, "echo", 24));
    assert!(served.iter().all(|by| *by == node_name(1)), "{served:?}");
    let after = Metrics::of(&federation.nodes[0]);
    assert_eq!(
        after.invocations("echo", "user", "local") - before.invocations("echo", "user", "local"),
        24.0
    );
    let retries = after.get("dfaas_retries_total") - before.get("dfaas_retries_total");
    assert!((8.0..=16.0).contains(&retries), "half of them were tried at node 2 first: {retries}");
    assert!(check(&health(&federation.nodes[0]).1, "dataplane").0);

    link("up");
    eventually("node 2 serves again", || (federation.served_times("echo", 4).len() == 2).then_some(()));
    federation.check();
}
