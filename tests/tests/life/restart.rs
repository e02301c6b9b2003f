//! An agent that dies under its users' connections, and its successor.

use std::collections::BTreeMap;

use dfaas_tests::settings::{Function, node_name};

use crate::connection::{HalfSent, in_background, nodes_of};
use crate::federation::{Federation, eventually};
use crate::kernel::attached;
use crate::observe::Metrics;

const HALF_SENT: usize = 8;
const NAPS: usize = 6;

#[test]
fn connections_outlive_the_agents_of_both_their_nodes_and_the_successors_take_over() {
    let nap = Function { kind: "sleep".to_owned(), ms: Some(4000), ..Function::default() };
    let mut federation = Federation::start(2, &[("echo", Function::echo()), ("nap", nap)]);
    federation.served_times("echo", 10);
    let (half_sent, naps) = open_connections(&federation);
    let before: Vec<Metrics> = federation.nodes.iter().map(Metrics::of).collect();
    let programs: Vec<_> = federation.nodes.iter().map(|node| attached(node.namespace())).collect();
    assert_eq!(programs[0].len(), 4, "{programs:?}");

    for node in &mut federation.nodes {
        node.kill_agent().unwrap();
    }
    let alone = until_all_is_local(&federation);
    for (index, node) in federation.nodes.iter_mut().enumerate() {
        assert_eq!(attached(node.namespace()), programs[index], "attached without an agent");
        node.start_agent().unwrap();
        assert!(node.agent_log().contains("taking over the data plane pinned at"), "{}", node.agent_log());
        let now = attached(node.namespace());
        assert_eq!(now.len(), 4, "{now:?}");
        assert!(now.iter().all(|program| !programs[index].contains(program)), "replaced: {now:?}");
    }

    let after: Vec<Metrics> = federation.nodes.iter().map(Metrics::of).collect();
    took_over(&before, &after, &alone);
    let by_node = federation.served_times("echo", 20);
    assert_eq!(by_node.len(), 2, "shared again: {by_node:?}");

    let mut served: Vec<String> = half_sent.into_iter().map(HalfSent::finish).collect();
    served.extend(nodes_of(naps));
    for (backend, node) in [("local", node_name(1)), ("node-2", node_name(2))] {
        let count = served.iter().filter(|by| **by == node).count() as f64;
        let bound = before[0].inflight("echo", backend) + before[0].inflight("nap", backend);
        assert_eq!(count, bound, "{backend}: {served:?}");
    }
    nothing_is_left(&federation);
}

/// Half-sent and slow invocations of users of node 1, bound half to node 1 and half to node 2.
fn open_connections(
    federation: &Federation,
) -> (Vec<HalfSent>, Vec<std::thread::JoinHandle<anyhow::Result<String>>>) {
    let body = |seed: usize| (0..60_000).map(|byte| (byte * 31 + seed) as u8).collect();
    let half_sent = (0..HALF_SENT).map(|seed| HalfSent::begin(federation, "echo", body(seed))).collect();
    let naps = in_background(federation, "nap", NAPS);
    let bound = |function: &str, count: usize| {
        eventually(&format!("all of {function} are bound"), || {
            let metrics = Metrics::of(&federation.nodes[0]);
            let inflight = |backend| metrics.inflight(function, backend);
            (inflight("local") + inflight("node-2") == count as f64).then_some(())
        });
    };
    bound("echo", HALF_SENT);
    bound("nap", NAPS);
    (half_sent, naps)
}

/// Goes on until the plans of node 1 have expired; how many invocations which node served until then.
fn until_all_is_local(federation: &Federation) -> BTreeMap<String, u64> {
    let mut served: BTreeMap<String, u64> = BTreeMap::new();
    let mut in_a_row = 0;
    // A plan in force gives node 2 every other one.
    eventually("all new invocations are served by node 1", || {
        let by = federation.served("echo");
        in_a_row = if by == node_name(1) { in_a_row + 1 } else { 0 };
        *served.entry(by).or_default() += 1;
        (in_a_row >= 20).then_some(())
    });
    let alone = federation.served_times("echo", 20);
    assert_eq!(alone, [(node_name(1), 20)].into(), "expired plans stay expired");
    *served.entry(node_name(1)).or_default() += 20;
    served
}

/// Every counter went on where it was, with what came in while nobody looked; what is open is known.
fn took_over(before: &[Metrics], after: &[Metrics], alone: &BTreeMap<String, u64>) {
    for (before, after) in before.iter().zip(after) {
        let counters = ["dfaas_invocations_total", "dfaas_drops_total", "dfaas_retries_total"];
        for (sample, count) in counters.iter().flat_map(|family| before.family(family)) {
            assert!(after.get(sample) >= count, "{sample}: {count} before, {} after", after.get(sample));
        }
    }
    let count = |metrics: &Metrics, backend| metrics.invocations("echo", "user", backend);
    for (backend, node) in [("local", node_name(1)), ("node-2", node_name(2))] {
        let since = count(&after[0], backend) - count(&before[0], backend);
        assert_eq!(since, alone.get(&node).copied().unwrap_or(0) as f64, "{backend} of {alone:?}");
    }
    for backend in ["local", "node-2"] {
        let bound = |function| (before[0].inflight(function, backend), after[0].inflight(function, backend));
        let (echo, nap) = (bound("echo"), bound("nap"));
        assert!(echo.0 == echo.1 && echo.0 > 0.0, "half-sent at {backend}: {echo:?}");
        // A slow machine may be so slow that the naps are over.
        assert!(nap.0 > 0.0 && nap.1 <= nap.0, "naps at {backend}: {nap:?}");
    }
    for function in ["echo", "nap"] {
        assert!(after[1].inflight(function, "local") <= before[0].inflight(function, "node-2"), "{function}");
    }
    assert!(after[0].get("dfaas_flows") >= HALF_SENT as f64, "{after:?}");
}

/// Once all is over the table of flows is empty, at both nodes.
fn nothing_is_left(federation: &Federation) {
    for node in &federation.nodes {
        eventually(&format!("{} has no flows", node.name()), || {
            let metrics = Metrics::of(node);
            (metrics.get("dfaas_flows") == 0.0 && metrics.sum("dfaas_inflight") == 0.0).then_some(())
        });
    }
}
