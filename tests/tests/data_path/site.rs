//! A small federation whose first node is called by users.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dfaas_tests::http::{Answer, Connection};
use dfaas_tests::invocation::{body, call, served_by};
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer, node_name};
use dfaas_tests::{Lab, Node, Topology};

/// How long anything may take that is not meant to fail: generous, as loss makes time-outs of seconds.
pub const LIMIT: Duration = Duration::from_secs(60);

/// How long the function `sleep` sleeps.
pub const SLEEP_MS: u64 = 3000;

/// What a federation is made of. All nodes have the functions `echo`, `sleep` and `whoami`.
#[derive(Debug, Clone)]
pub struct Plan {
    pub topology: Topology,
    /// Percent of node 1's invocations that it serves itself.
    pub local: f64,
    /// Shares of node 2, node 3 and so on in the rest.
    pub shares: Vec<f64>,
    pub mptcp: bool,
    /// Further keys of node 1's agent.
    pub overrides: toml::Table,
}

impl Plan {
    /// One node that serves all itself.
    pub fn alone() -> Self {
        Self {
            topology: Topology { nodes: 1, ..Topology::default() },
            local: 100.0,
            shares: Vec::new(),
            mptcp: false,
            overrides: toml::Table::new(),
        }
    }

    /// A node that serves nothing itself, and the one peer that serves all.
    pub fn all_to_a_peer() -> Self {
        Self {
            topology: Topology { nodes: 2, ..Topology::default() },
            local: 0.0,
            shares: vec![1.0],
            ..Self::alone()
        }
    }

    fn agent(&self, index: u8) -> Agent {
        let agent = Agent { strategy: "alllocal".to_owned(), ..Agent::default() };
        if index > 1 {
            // Its invocations come from node 1 only; it must know it to take them.
            return Agent { peers: vec![StaticPeer::node(1, 1.0)], ..agent };
        }
        let peers = (2..).zip(&self.shares).map(|(other, &share)| StaticPeer::node(other, share));
        let agent = Agent {
            static_local: self.local,
            peers: peers.collect(),
            overrides: self.overrides.clone(),
            ..agent
        };
        if self.local < 100.0 {
            return Agent { strategy: "static".to_owned(), ..agent };
        }
        // A limit that is never reached: without any, connections would pass natively.
        let limit = toml::toml! { [functions.whoami]
        max_inflight = 1_000_000 };
        Agent { overrides: agent.overrides.into_iter().chain(limit).collect(), ..agent }
    }
}

/// The nodes; while a test fails it tells their state.
pub struct Site {
    pub nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Site {
    /// Everything runs.
    pub fn new(plan: &Plan) -> Self {
        let mut site = Self::gateways_only(plan);
        site.start_agents();
        site
    }

    /// The gateways run, and nothing is attached to any interface.
    pub fn gateways_only(plan: &Plan) -> Self {
        let mut site = Self::prepared(plan);
        site.nodes.iter_mut().for_each(|node| node.start_gateway().unwrap());
        site
    }

    /// Configured; nothing runs.
    pub fn prepared(plan: &Plan) -> Self {
        let lab = Lab::new(plan.topology).unwrap();
        let kind = |kind: &str| Function { kind: kind.to_owned(), ..Function::default() };
        let functions = BTreeMap::from([
            ("echo".to_owned(), Function::echo()),
            ("sleep".to_owned(), Function { ms: Some(SLEEP_MS), ..kind("sleep") }),
            ("whoami".to_owned(), kind("whoami")),
        ]);
        let gateway = Gateway { mptcp: plan.mptcp, functions, ..Gateway::default() };
        let nodes = (1..=plan.topology.nodes)
            .map(|index| Node::new(&lab, index, &plan.agent(index), &gateway).unwrap())
            .collect();
        Self { nodes, lab }
    }

    /// From the last to the first, so that node 1 finds its peers ready.
    pub fn start_agents(&mut self) {
        self.nodes.iter_mut().rev().for_each(|node| node.start_agent().unwrap());
    }

    /// Runs a client beside node 1, within [`LIMIT`].
    pub fn client<T: Send, F: Future<Output = T>>(&self, make: impl FnOnce() -> F + Send) -> T {
        let within = || async { tokio::time::timeout(LIMIT, make()).await };
        self.lab.users(1).block_on(within).unwrap().expect("the client waited for too long")
    }

    /// A new connection to node 1, for use inside [`Site::client`].
    pub fn connect(&self) -> impl Future<Output = Connection> + use<> {
        let address = self.nodes[0].address();
        async move { Connection::open(address).await.unwrap() }
    }

    /// Waits until a metric of a node has a value, and fails after 20 seconds.
    pub fn wait_for_metric(&self, node: u8, name: &str, labels: &[&str], wanted: f64) {
        let node = &self.nodes[usize::from(node) - 1];
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let value = node.metric(name, labels).unwrap();
            if value == wanted {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{name} {labels:?} of {} is {value}, not {wanted}",
                node.name()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Invocations that node 1 has bound to a backend: `local`, `reject` or a node's name.
    pub fn bound_to(&self, backend: &str) -> f64 {
        self.nodes[0].bound_to(backend).unwrap()
    }
}

/// Sends bodies through `echo` on one connection, one after the other, and checks that each comes back as it was, from
/// this node.
pub async fn echoes(connection: &mut Connection, sizes: &[usize], node: u8) {
    for &size in sizes {
        let sent = body(size);
        let answer = connection.exchange(call("echo", sent.clone())).await.unwrap();
        check_echo(&answer, &sent, node);
    }
}

/// Checks status, serving node and body of an answer of `echo`.
pub fn check_echo(answer: &Answer, sent: &Bytes, node: u8) {
    let size = sent.len();
    assert_eq!(answer.status(), 200, "{size} bytes");
    assert_eq!(served_by(answer), node_name(node), "{size} bytes");
    assert_eq!(answer.body().len(), size);
    if answer.body() != sent {
        let differs = answer.body().iter().zip(sent).position(|(got, sent)| got != sent);
        panic!("the answer of {size} bytes differs from what was sent, first at {differs:?}");
    }
}
