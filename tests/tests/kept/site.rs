//! A federation of three nodes, of which users call the first.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dfaas_tests::http::Answer;
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer};
use dfaas_tests::{Family, Lab, Node, Topology};
use http_body_util::Full;
use hyper::Request;
use nix::sys::signal::Signal;

/// What all nodes have; the first two answer with the body, the last with what they saw.
pub const FUNCTIONS: [&str; 3] = ["echo", "mirror", "whoami"];

/// The nodes; while a test fails it tells their state.
pub struct Site {
    pub nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Site {
    /// Everything runs, for users and nodes of one family.
    pub fn new(family: Family) -> Self {
        let lab = Lab::new(Topology { nodes: 3, ..Topology::default() }).unwrap();
        let whoami = Function { kind: "whoami".to_owned(), ..Function::default() };
        let functions = FUNCTIONS.map(|name| {
            let function = if name == "whoami" { whoami.clone() } else { Function::echo() };
            (name.to_owned(), function)
        });
        let gateway = Gateway { family, functions: functions.into(), ..Gateway::default() };
        // A limit that is never reached: without any, connections would pass natively.
        let limit = toml::toml! { [functions.whoami]
        max_inflight = 1_000_000 };
        let home = Agent { family, strategy: "alllocal".to_owned(), overrides: limit, ..Agent::default() };
        let nodes = (1..=3).map(|index| {
            // A node must know the first one to take its invocations.
            let known = if index == 1 { vec![2, 3] } else { vec![1] };
            let peers = known.into_iter().map(|other| StaticPeer::node_over(family, other, 1.0)).collect();
            Node::new(&lab, index, &Agent { peers, ..home.clone() }, &gateway).unwrap()
        });
        let mut site = Self { nodes: nodes.collect(), lab };
        site.nodes.iter_mut().for_each(|node| node.start_gateway().unwrap());
        site.nodes.iter_mut().rev().for_each(|node| node.start_agent().unwrap());
        site.wait_until_known();
        site
    }

    /// Until node 1 has written a plan of every function.
    fn wait_until_known(&self) {
        let known =
            || self.nodes[0].metric("dfaas_weight", &[]).is_ok_and(|sum| sum >= FUNCTIONS.len() as f64);
        let until = Instant::now() + Duration::from_secs(20);
        while !known() {
            assert!(Instant::now() < until, "{}", self.nodes[0].dump());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Holds the agent of node 1, which would write plans of its own.
    pub fn hold(&self) {
        self.nodes[0].agent().unwrap().signal(Signal::SIGSTOP).unwrap();
    }

    /// Lets it go on.
    pub fn let_go(&self) {
        self.nodes[0].agent().unwrap().signal(Signal::SIGCONT).unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// A request with a body and a query that is its own.
pub fn request(function: &str, serial: usize, body: Bytes) -> Request<Full<Bytes>> {
    let target = format!("/function/{function}?{serial}");
    Request::post(target).header("host", "node:8080").body(Full::new(body)).unwrap()
}

/// The node that answered, 1 to 3, if the answer is the one to this request.
pub fn right(answer: &Answer, function: &str, serial: usize, body: &[u8]) -> Result<usize, String> {
    if answer.status() != 200 {
        return Err(format!("status {}", answer.status()));
    }
    if function == "whoami" {
        let seen: serde_json::Value = serde_json::from_slice(answer.body()).map_err(|e| e.to_string())?;
        if seen["path"] != format!("/function/whoami?{serial}") {
            return Err(format!("the answer to {}", seen["path"]));
        }
    } else if answer.body() != body {
        return Err(format!("{} bytes that differ from the {} sent", answer.body().len(), body.len()));
    }
    let node = answer.headers().get("dfaas-node").and_then(|name| name.to_str().ok());
    let number = node.and_then(|name| name.strip_prefix("node-")?.parse().ok());
    number.ok_or_else(|| format!("by nobody: {node:?}"))
}
