//! Three nodes whose gateways tell what they were asked, and beside the first one a plain proxy to its gateway.

use std::net::SocketAddr;
use std::time::Duration;

use dfaas_tests::proxy::Proxy;
use dfaas_tests::settings::{Agent, Gateway, StaticPeer};
use dfaas_tests::{Family, Lab, Node, Topology, eventually};
use nix::sys::signal::Signal;
use tokio::sync::oneshot;

use crate::gateway;
pub use crate::gateway::FUNCTIONS;

/// Where the proxy listens.
const PROXY: u16 = 8099;

/// The nodes; while a test fails it tells their state.
pub struct Site {
    pub nodes: Vec<Node>,
    _gateways: Vec<oneshot::Sender<()>>,
    _proxy: Proxy,
    // Dropped last: all run in it.
    pub lab: Lab,
}

impl Site {
    /// Everything runs, and the plans of node 1 are the test's.
    pub fn new(family: Family) -> Self {
        let lab = Lab::new(Topology { nodes: 3, ..Topology::default() }).unwrap();
        // A limit that is never reached: without any, connections would pass natively.
        let limit = toml::toml! { [functions.told]
        max_inflight = 1_000_000 };
        let home = Agent { family, strategy: "alllocal".to_owned(), overrides: limit, ..Agent::default() };
        let nodes = (1..=3).map(|index| {
            // A node must know the first one to take its invocations.
            let known = if index == 1 { vec![2, 3] } else { vec![1] };
            let peers = known.into_iter().map(|other| StaticPeer::node_over(family, other, 1.0)).collect();
            let agent = Agent { peers, ..home.clone() };
            Node::new(&lab, index, &agent, &Gateway { family, ..Gateway::default() }).unwrap()
        });
        let mut nodes: Vec<Node> = nodes.collect();
        let gateways =
            (1..=3).map(|index| gateway::start(&lab.node(index), index, family.gateway_addresses(index)));
        let gateways = gateways.collect();
        nodes.iter_mut().rev().for_each(|node| node.start_agent().unwrap());
        let ways = nodes[0].addresses().into_iter().map(|to| (SocketAddr::new(to.ip(), PROXY), to));
        let proxy = Proxy::start(&lab.node(1), ways.collect()).unwrap();
        let site = Self { nodes, _gateways: gateways, _proxy: proxy, lab };
        let first = &site.nodes[0];
        eventually("node 1 has plans", Duration::from_secs(20), || {
            first.metric("dfaas_weight", &[]).is_ok_and(|sum| sum >= FUNCTIONS.len() as f64).then_some(())
        });
        // It would write plans of its own.
        first.agent().unwrap().signal(Signal::SIGSTOP).unwrap();
        site
    }

    /// Where users call: node 1, steered, and the proxy before its gateway.
    pub fn ways(&self, turn: usize) -> [SocketAddr; 2] {
        let addresses = self.nodes[0].addresses();
        let steered = addresses[turn % addresses.len()];
        [steered, SocketAddr::new(steered.ip(), PROXY)]
    }

    /// Lets the agent go on.
    pub fn let_go(&self) {
        self.nodes[0].agent().unwrap().signal(Signal::SIGCONT).unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.let_go();
    }
}
