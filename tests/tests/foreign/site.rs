//! A node with its own gateway and another one in a container behind it, and perhaps a peer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use dfaas_tests::http::{self, Connection};
use dfaas_tests::invocation::{body, call, served_by};
use dfaas_tests::settings::{Agent, Function, Gateway, INVOCATION_PORT, StaticPeer};
use dfaas_tests::{
    Family, Lab, Namespace, Node, Process, Topology, container_address, container_address6, dfaas_binary,
    eventually,
};

/// How long anything may take that is not meant to fail.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Name of the gateway in the container, in the agent's file and in its own answers.
pub const CLUSTER: &str = "cluster";

/// Where the gateway in the container of node 1 takes invocations.
pub fn cluster_address(v6: bool) -> SocketAddr {
    if v6 {
        (container_address6(1), INVOCATION_PORT).into()
    } else {
        (container_address(1), INVOCATION_PORT).into()
    }
}

/// What there is.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How node 1 is called, and by whom.
    pub family: Family,
    /// Whether its other gateway is at an IPv6 address.
    pub cluster_v6: bool,
    /// Functions of that one, all `echo`.
    pub cluster: Vec<&'static str>,
    /// Whether it is the node's own: then there is none at the listen address.
    pub only: bool,
    /// Functions of node 2, all `echo`, if there is one; and percent that node 1 serves itself.
    pub peer: Option<(Vec<&'static str>, f64)>,
}

impl Default for Plan {
    fn default() -> Self {
        let cluster = vec!["echo", "pay"];
        Self { family: Family::V4, cluster_v6: false, cluster, only: false, peer: None }
    }
}

/// Everything that runs; while a test fails it tells its state.
pub struct Site {
    pub family: Family,
    pub nodes: Vec<Node>,
    cluster: Option<Process>,
    container: Namespace,
    address: SocketAddr,
    // Dropped last: all programs run in it.
    pub lab: Lab,
}

fn echoes(names: &[&str]) -> BTreeMap<String, Function> {
    names.iter().map(|name| ((*name).to_owned(), Function::echo())).collect()
}

/// Interfaces and gateways of node 1.
fn gateways(plan: &Plan, address: SocketAddr) -> toml::Table {
    let mut table = toml::toml! { [dataplane]
    interfaces = ["users0", "peers0", "pods0"] };
    let url = format!("http://{address}");
    if plan.only {
        let own = toml::Table::from_iter([
            ("url".to_owned(), url.into()),
            ("address".to_owned(), address.to_string().into()),
        ]);
        table.insert("gateway".to_owned(), own.into());
    } else {
        let other =
            toml::Table::from_iter([("name".to_owned(), CLUSTER.into()), ("url".to_owned(), url.into())]);
        table.insert("foreign_gateway".to_owned(), vec![other].into());
    }
    table
}

impl Site {
    pub fn new(plan: &Plan) -> Self {
        let count = if plan.peer.is_some() { 2 } else { 1 };
        let lab = Lab::new(Topology { nodes: count, ..Topology::default() }).unwrap();
        let container = lab.add_container(1).unwrap();
        let (family, address) = (plan.family, cluster_address(plan.cluster_v6));

        let file = lab.folder().join("cluster.toml");
        let functions: String =
            plan.cluster.iter().map(|name| format!("[functions.{name}]\nkind = 'echo'\n")).collect();
        let whoami = "[functions.who]\nkind = 'whoami'\n";
        let text = format!("name = '{CLUSTER}'\nlisten = ['{address}']\n{functions}{whoami}");
        std::fs::write(file, text).unwrap();

        let peer_of_1 = plan.peer.iter().map(|_| StaticPeer::node_over(family, 2, 1.0)).collect();
        let local = plan.peer.as_ref().map_or(100.0, |(_, local)| *local);
        let agent = Agent {
            family,
            static_local: local,
            peers: peer_of_1,
            overrides: gateways(plan, address),
            ..Agent::default()
        };
        let own = Gateway { family, functions: echoes(&["echo", "home"]), ..Gateway::default() };
        let mut nodes = vec![Node::new(&lab, 1, &agent, &own).unwrap()];
        if let Some((functions, _)) = &plan.peer {
            let peers = vec![StaticPeer::node_over(family, 1, 1.0)];
            let agent = Agent { family, peers, ..Agent::default() };
            let gateway = Gateway { family, functions: echoes(functions), ..Gateway::default() };
            nodes.push(Node::new(&lab, 2, &agent, &gateway).unwrap());
        }
        let mut site = Self { family, nodes, cluster: None, container, address, lab };
        site.start_cluster();
        for (index, node) in site.nodes.iter_mut().enumerate().rev() {
            if index > 0 || !plan.only {
                node.start_gateway().unwrap();
            }
            node.start_agent().unwrap();
        }
        site
    }

    /// Starts the gateway in the container, and waits until it answers.
    pub fn start_cluster(&mut self) {
        let mut command = Command::new(dfaas_binary().unwrap());
        command.arg("gateway").arg("--config").arg(self.lab.folder().join("cluster.toml"));
        let log = self.lab.folder().join("cluster.log");
        self.cluster = Some(Process::spawn(CLUSTER, &self.container, command, &log).unwrap());
        eventually("the gateway in the container answers", LIMIT, || {
            http::get(&self.container, self.address, "/healthz", Duration::from_secs(1)).ok()
        });
    }

    /// Ends it: its port refuses from now on.
    pub fn stop_cluster(&mut self) {
        self.cluster.take().unwrap().stop(Duration::from_secs(5)).unwrap();
    }

    /// Cuts the container off, or joins it again: what is sent there is lost.
    pub fn connect_container(&self, joined: bool) {
        let rules = if joined {
            "delete table inet cut\n"
        } else {
            "table inet cut {\nchain input {\ntype filter hook input priority 0\ndrop\n}\n}\n"
        };
        self.container.output("nft", &["-f", "-"], rules).unwrap();
    }

    /// Waits until node 1 takes the gateway at an address of its own for working, or not.
    pub fn wait_healthy(&self, name: &str, healthy: bool) {
        let (label, wanted) = (format!("gateway=\"{name}\""), f64::from(u8::from(healthy)));
        eventually(&format!("{name} healthy: {healthy}"), LIMIT, || {
            let found = self.nodes[0].metric("dfaas_gateway_healthy", &[&label]).unwrap();
            (found == wanted).then_some(())
        });
    }

    /// Runs a client beside this node, from 1, within [`LIMIT`].
    pub fn client<T: Send, F: Future<Output = T>>(&self, node: u8, make: impl FnOnce() -> F + Send) -> T {
        let within = || async { tokio::time::timeout(LIMIT, make()).await };
        self.lab.users(node).block_on(within).unwrap().expect("the client waited for too long")
    }

    /// One invocation with a body on a connection of its own: status, who answered, and whether the body came back.
    pub fn invoke(&self, node: u8, address: SocketAddr, function: &str, size: usize) -> (u16, String, bool) {
        let sent = body(size);
        let call = || async {
            let mut connection = Connection::open(address).await.unwrap();
            connection.exchange(call(function, sent.clone())).await.unwrap()
        };
        let answer = self.client(node, call);
        (answer.status().as_u16(), served_by(&answer).to_owned(), *answer.body() == sent)
    }

    /// The same beside node 1, at its first address.
    pub fn call(&self, function: &str, size: usize) -> (u16, String, bool) {
        self.invoke(1, self.nodes[0].address(), function, size)
    }
}

/// What an invocation of a working function gives.
pub fn by(node: &str) -> (u16, String, bool) {
    (200, node.to_owned(), true)
}
