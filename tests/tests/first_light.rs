//! Whole nodes, gateway and agent and kernel programs, under the load of users beside the first of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_tests::load::{self, Load, Report};
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer, node_name};
use dfaas_tests::{Lab, Node, Topology};

/// Invocations a second that each node serves.
const CAPACITIES: [u32; 3] = [10, 16, 24];

/// A federation whose first node shares by capacity if it shares.
struct Federation {
    nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    lab: Lab,
}

impl Federation {
    fn new(strategy: &str, function: impl Fn(u32) -> Function) -> Self {
        let lab = Lab::new(Topology { nodes: 3, ..Topology::default() }).unwrap();
        let total = f64::from(CAPACITIES.iter().sum::<u32>());
        let nodes = (1..).zip(CAPACITIES).map(|(index, capacity)| {
            let peers = (1..).zip(CAPACITIES).filter(|&(other, _)| other != index);
            let agent = Agent {
                strategy: strategy.to_owned(),
                static_local: 100.0 * f64::from(capacity) / total,
                peers: peers.map(|(other, share)| StaticPeer::node(other, share.into())).collect(),
                ..Agent::default()
            };
            let functions = BTreeMap::from([("figlet".to_owned(), function(capacity))]);
            let mut node =
                Node::new(&lab, index, &agent, &Gateway { functions, ..Gateway::default() }).unwrap();
            node.start_gateway().unwrap();
            node.start_agent().unwrap();
            node
        });
        Self { nodes: nodes.collect(), lab }
    }

    fn load(&self, rate: f64, seconds: u64) -> load::Running {
        let load = Load::new(self.nodes[0].address(), "figlet", rate, Duration::from_secs(seconds));
        load::start(&self.lab.users(1), load).unwrap()
    }
}

fn served_by(report: &Report, index: u8) -> u64 {
    report.total().by_node.get(&node_name(index)).copied().unwrap_or(0)
}

#[test]
fn an_overloaded_nodes_invocations_are_served_by_its_peers_in_proportion_to_their_shares() {
    let federation = Federation::new("static", |capacity| Function::echo_at_most(capacity.into()));
    let report = federation.load(45.0, 20).finish().unwrap();

    assert_eq!(report.total().failed, 0, "{:?}", report.reasons());
    assert!(report.ok_share() >= 0.95, "{:?}", report.total());
    for (index, capacity) in (1..).zip(CAPACITIES) {
        let expected = 900.0 * f64::from(capacity) / 50.0;
        let served = served_by(&report, index) as f64;
        assert!((served - expected).abs() < 0.15 * expected, "node {index}: {served} of {expected}");
    }
}

#[test]
fn a_node_that_shares_nothing_rejects_what_it_cannot_serve() {
    let federation = Federation::new("alllocal", |capacity| Function::echo_at_most(capacity.into()));
    let report = federation.load(45.0, 15).finish().unwrap();

    let total = report.total();
    assert_eq!(total.failed, 0, "{:?}", report.reasons());
    assert_eq!(total.ok, served_by(&report, 1), "nobody else serves: {total:?}");
    // 10 of 45 a second, and the bucket that was full at the start.
    assert!((0.2..0.26).contains(&report.ok_share_last_half()), "{total:?}");
}

#[test]
fn no_user_notices_that_the_agent_is_killed_and_started_again() {
    // More than enough for all: whatever fails is the data plane's fault.
    let mut federation = Federation::new("static", |_| Function::echo());
    let mut running = federation.load(200.0, 25);
    running.wait_until(5);
    federation.nodes[0].kill_agent().unwrap();
    running.wait_until(15);
    federation.nodes[0].start_agent().unwrap();
    let report = running.finish().unwrap();

    let total = report.total();
    let bad: Vec<_> = report.seconds().iter().filter(|second| second.ok < second.sent).collect();
    assert_eq!((total.ok, total.rejected, total.failed), (5000, 0, 0), "{:?} in {bad:?}", report.reasons());
    let served_elsewhere = |seconds: &[load::Second]| {
        seconds.iter().any(|second| second.by_node.keys().any(|node| *node != node_name(1)))
    };
    assert!(served_elsewhere(&report.seconds()[1..5]), "shared before");
    assert!(served_elsewhere(&report.seconds()[22..]), "shared again: {:?}", report.seconds().last());
}
