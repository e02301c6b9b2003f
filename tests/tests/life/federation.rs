//! A federation of whole nodes that shares invocations evenly, for the tests to hurt.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use dfaas_tests::http::{self, Answer};
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer};
use dfaas_tests::{Lab, Node, Topology};

/// Longest time for something that must come about; only what is broken comes near it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Nodes that know each other, each with all the functions; half of a node's invocations stay where they are.
pub struct Federation {
    pub nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Federation {
    /// `adapt` changes what a node (by index, from 1) is configured with.
    pub fn prepare(
        count: u8,
        functions: &[(&str, Function)],
        adapt: impl Fn(u8, &mut Agent, &mut Gateway),
    ) -> Self {
        let lab = Lab::new(Topology { nodes: count, ..Topology::default() }).unwrap();
        let functions: BTreeMap<String, Function> =
            functions.iter().map(|(name, function)| ((*name).to_owned(), function.clone())).collect();
        let nodes = (1..=count).map(|index| {
            let others = (1..=count).filter(|&other| other != index);
            let mut agent = Agent {
                period: "500ms".to_owned(),
                static_local: 50.0,
                peers: others.map(|other| StaticPeer::node(other, 1.0)).collect(),
                ..Agent::default()
            };
            let mut gateway = Gateway { functions: functions.clone(), ..Gateway::default() };
            adapt(index, &mut agent, &mut gateway);
            Node::new(&lab, index, &agent, &gateway).unwrap()
        });
        Self { nodes: nodes.collect(), lab }
    }

    /// The same, with every gateway and agent running and ready.
    pub fn start(count: u8, functions: &[(&str, Function)]) -> Self {
        Self::start_with(count, functions, |_, _, _| {})
    }

    /// The same, adapted.
    pub fn start_with(
        count: u8,
        functions: &[(&str, Function)],
        adapt: impl Fn(u8, &mut Agent, &mut Gateway),
    ) -> Self {
        let mut federation = Self::prepare(count, functions, adapt);
        for node in &mut federation.nodes {
            node.start_gateway().unwrap();
            node.start_agent().unwrap();
        }
        federation
    }

    /// Node 1, whose users call.
    pub fn first(&mut self) -> &mut Node {
        &mut self.nodes[0]
    }

    /// One invocation by a user beside node 1.
    pub fn invoke(&self, function: &str) -> Result<Answer> {
        let body = Bytes::from_static(b"hello");
        let path = format!("/function/{function}");
        http::post(&self.lab.users(1), self.nodes[0].address(), &path, body, PATIENCE)
    }

    /// The same, which must be answered 200; the name of the node that served it.
    pub fn served(&self, function: &str) -> String {
        let answer = self.invoke(function).unwrap_or_else(|error| panic!("{function}: {error:#}"));
        assert_eq!(answer.status(), 200, "{function}: {answer:?}");
        assert_eq!(answer.body(), &b"hello"[..]);
        node_of(&answer)
    }

    /// So many invocations, one after the other, each answered 200; how many by which node.
    pub fn served_times(&self, function: &str, times: usize) -> BTreeMap<String, u64> {
        let mut by_node = BTreeMap::new();
        for _ in 0..times {
            *by_node.entry(self.served(function)).or_default() += 1;
        }
        by_node
    }

    /// All gateways and agents that were started live.
    pub fn check(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.check().unwrap());
    }
}

/// The node that an answer names; empty if the gateway gave none, as the kernel's own answers do.
pub fn node_of(answer: &Answer) -> String {
    answer.headers().get("dfaas-node").map_or_else(String::new, |name| name.to_str().unwrap().to_owned())
}

/// Asks again and again until there is an answer; fails if that takes too long.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    dfaas_tests::eventually(what, PATIENCE, ask)
}
