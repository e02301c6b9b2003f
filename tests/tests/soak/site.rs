//! Three nodes with a fast server each, of which users call the first from one address.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use dfaas_tests::settings::{Agent, Gateway, INVOCATION_PORT, StaticPeer, node_name};
use dfaas_tests::{Family, Lab, Namespace, Node, Process, Topology, eventually, http};

use crate::LIMIT;
use crate::steering;
use crate::tally::Tally;

/// How node 1 divides what its users ask for.
#[derive(Debug, Clone)]
pub struct Plan {
    pub family: Family,
    /// Percent that it serves itself.
    pub local: f64,
    /// Shares of nodes 2 and 3 in the rest.
    pub shares: [f64; 2],
    /// Its agent's period.
    pub period: &'static str,
    /// Further keys of its agent.
    pub overrides: toml::Table,
}

impl Plan {
    /// Two fifths here, one fifth to node 2, two to node 3.
    pub fn usual(family: Family) -> Self {
        Self { family, local: 40.0, shares: [1.0, 2.0], period: "1s", overrides: toml::Table::new() }
    }
}

/// The nodes; while a test fails it tells their state.
pub struct Site {
    pub nodes: Vec<Node>,
    _servers: Vec<Process>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Site {
    /// Everything runs, and node 1 has written its plan.
    pub fn new(plan: &Plan) -> Self {
        let lab = Lab::new(Topology { nodes: 3, ..Topology::default() }).unwrap();
        let family = plan.family;
        let peer = |index, share| StaticPeer::node_over(family, index, share);
        let agent = |index| match index {
            1 => Agent {
                family,
                static_local: plan.local,
                period: plan.period.to_owned(),
                peers: (2..).zip(plan.shares).map(|(other, share)| peer(other, share)).collect(),
                overrides: plan.overrides.clone(),
                ..Agent::default()
            },
            // It takes invocations from whom it knows.
            _ => Agent {
                family,
                strategy: "alllocal".to_owned(),
                peers: vec![peer(1, 1.0)],
                ..Agent::default()
            },
        };
        let node = |index| Node::new(&lab, index, &agent(index), &Gateway::default()).unwrap();
        let nodes: Vec<_> = (1..=3).map(node).collect();
        let servers = (1..=3).map(|index| serve(&lab, &nodes, index)).collect();
        let mut site = Self { nodes, _servers: servers, lab };
        site.nodes.iter_mut().rev().for_each(|node| node.start_agent().unwrap());
        eventually("a plan is written", LIMIT, || {
            site.nodes[0].metric("dfaas_weight", &[]).is_ok_and(|sum| sum > 0.99).then_some(())
        });
        site
    }

    /// What happened in the data plane of node 1 and why packets were dropped; what never did is not there.
    pub fn happened(&self) -> BTreeMap<&'static str, u64> {
        steering::happened(self)
    }

    /// How often one thing happened there.
    pub fn count(&self, event: &str) -> u64 {
        self.happened().get(event).copied().unwrap_or(0)
    }

    /// Invocations by users of node 1, by the backend that got them, as its agent counts them.
    pub fn counted(&self) -> [u64; 3] {
        let backends = ["local".to_owned(), node_name(2), node_name(3)];
        backends.map(|backend| self.nodes[0].bound_to(&backend).unwrap() as u64)
    }

    /// The node has counted what its users got, and no more: by backend, and its peers what they served.
    pub fn agrees_with(&self, tally: &Tally) {
        assert_eq!(self.counted(), tally.by_node, "node 1 counts as its users do");
        for (node, served) in self.nodes.iter().zip(tally.by_node).skip(1) {
            let counted = node.metric("dfaas_invocations_total", &["origin=\"peer\""]).unwrap();
            assert_eq!(counted, served as f64, "{} counts as users do", node.name());
        }
    }

    /// Waits until every node's flow table is empty and nothing is under way.
    pub fn wait_until_empty(&self) {
        for node in &self.nodes {
            // The longest that a connection which has begun to close is kept, and as much again.
            eventually(&format!("{} forgets all connections", node.name()), Duration::from_secs(130), || {
                (node.metric("dfaas_flows", &[]).unwrap() == 0.0).then_some(())
            });
            assert_eq!(node.metric("dfaas_inflight", &[]).unwrap(), 0.0, "{}", node.name());
        }
    }

    /// Counters of TCP beside node 1, where its users are, and of all nodes together.
    pub fn tcp(&self) -> [BTreeMap<String, u64>; 2] {
        let mut nodes = BTreeMap::new();
        for (name, value) in (1..=3).flat_map(|index| tcp(&self.lab.node(index))) {
            *nodes.entry(name).or_default() += value;
        }
        [tcp(&self.lab.users(1)), nodes]
    }
}

/// Counters of TCP in a namespace.
fn tcp(namespace: &Namespace) -> BTreeMap<String, u64> {
    let read = || std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let text = namespace.run(read).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    // One of them may be below zero, and is none of ours.
    let values = values.split(' ').map(|value| value.parse().unwrap_or(0));
    names.split(' ').map(str::to_owned).zip(values).collect()
}

/// Starts the server of a node, which serves users and peers of both families.
fn serve(lab: &Lab, nodes: &[Node], index: u8) -> Process {
    let listen = SocketAddr::from((Ipv6Addr::UNSPECIFIED, INVOCATION_PORT));
    let mut command = Command::new(env!("CARGO_BIN_EXE_traffic"));
    command.args(["serve", &node_name(index), &listen.to_string(), "2"]);
    let log = lab.folder().join(format!("server-{index}.log"));
    let name = format!("the server of {}", node_name(index));
    let process = Process::spawn(&name, &lab.node(index), command, &log).unwrap();
    let address = nodes[usize::from(index) - 1].address();
    eventually(&name, LIMIT, || http::get(&lab.node(index), address, "/healthz", LIMIT).ok());
    process
}
