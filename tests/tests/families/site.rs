//! Two nodes of one family, the first of which is called by users.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use dfaas_tests::http::Connection;
use dfaas_tests::invocation::{body, call, served_by};
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer, node_name};
use dfaas_tests::{Family, Lab, Node, Topology};

/// How long anything may take that is not meant to fail.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The functions of every node.
pub fn functions() -> BTreeMap<String, Function> {
    let whoami = Function { kind: "whoami".to_owned(), ..Function::default() };
    BTreeMap::from([("echo".to_owned(), Function::echo()), ("whoami".to_owned(), whoami)])
}

/// The nodes; while a test fails it tells their state.
pub struct Site {
    pub family: Family,
    pub nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Site {
    /// Node 1 serves `local` percent itself and sends the rest to node 2.
    pub fn new(family: Family, local: f64) -> Self {
        Self::within(family, local, Topology { nodes: 2, ..Topology::default() })
    }

    /// The same in this topology.
    pub fn within(family: Family, local: f64, topology: Topology) -> Self {
        let lab = Lab::new(topology).unwrap();
        let gateway = Gateway { family, functions: functions(), ..Gateway::default() };
        let agent = |peer, static_local| Agent {
            family,
            static_local,
            peers: vec![StaticPeer::node_over(family, peer, 1.0)],
            ..Agent::default()
        };
        let mut nodes = vec![
            Node::new(&lab, 1, &agent(2, local), &gateway).unwrap(),
            Node::new(&lab, 2, &agent(1, 100.0), &gateway).unwrap(),
        ];
        for node in nodes.iter_mut().rev() {
            node.start_gateway().unwrap();
            node.start_agent().unwrap();
        }
        Self { family, nodes, lab }
    }

    /// Runs a client beside node 1, within [`LIMIT`].
    pub fn client<T: Send, F: Future<Output = T>>(&self, make: impl FnOnce() -> F + Send) -> T {
        let within = || async { tokio::time::timeout(LIMIT, make()).await };
        let answer = self.lab.users(1).block_on(within).unwrap();
        answer.unwrap_or_else(|_| panic!("the client waited for too long over {:?}", self.family))
    }

    /// Connections that node 1 has bound to a backend: `local` or a node's name.
    pub fn bound_to(&self, backend: &str) -> f64 {
        self.nodes[0].bound_to(backend).unwrap()
    }
}

/// Sends bodies through `echo` on one connection and checks that each comes back as it was, from this node.
pub async fn echoes(address: SocketAddr, sizes: &[usize], node: u8) {
    assert_eq!(echoes_or_here(address, sizes, node).await, 0, "requests that node 1 served at {address}");
}

/// The same where packets are lost: after three lost SYNs the gateway of node 1 is the last resort. How many it served.
pub async fn echoes_or_here(address: SocketAddr, sizes: &[usize], node: u8) -> usize {
    let mut here = 0;
    let mut connection = Connection::open(address).await.unwrap();
    for &size in sizes {
        let sent = body(size);
        let answer = connection.exchange(call("echo", sent.clone())).await.unwrap();
        let (status, by) = (answer.status().as_u16(), served_by(&answer));
        assert_eq!(status, 200, "{size} bytes at {address}");
        if by != node_name(node) {
            assert_eq!(by, node_name(1), "{size} bytes at {address}");
            here += 1;
        }
        assert!(*answer.body() == sent, "{size} bytes at {address} came back as {}", answer.body().len());
    }
    here
}
