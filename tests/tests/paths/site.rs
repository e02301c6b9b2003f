//! Two nodes, the first of which is called from wherever a test likes.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use aya::maps::{Map, MapData, PerCpuArray};
use dfaas_common::ABI_VERSION;
use dfaas_common::count::{DropReason, Event};
use dfaas_tests::http::Connection;
use dfaas_tests::invocation::{body, call, served_by};
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer, node_name};
use dfaas_tests::{Family, Lab, Namespace, Node, Offloads, Topology, eventually};

/// How long anything may take that is not meant to fail.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Runs `ip` with these words in a namespace.
pub fn ip(namespace: &Namespace, words: &str) {
    let words: Vec<&str> = words.split_whitespace().collect();
    namespace.output("ip", &words, "").unwrap();
}

/// Writes a setting of the kernel in a namespace.
pub fn sysctl(namespace: &Namespace, name: &str, value: &str) {
    let file = format!("/proc/sys/net/{name}");
    namespace.run(|| std::fs::write(&file, value)).unwrap().unwrap_or_else(|e| panic!("{file}: {e}"));
}

/// Lets a namespace forward.
pub fn forwards(namespace: &Namespace) {
    sysctl(namespace, "ipv4/ip_forward", "1");
    sysctl(namespace, "ipv6/conf/all/forwarding", "1");
}

/// What a site is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    pub family: Family,
    pub offloads: Offloads,
    /// Percent of the invocations that node 1 serves itself.
    pub local: f64,
    /// Further keys of node 1's agent and gateway.
    pub agent: toml::Table,
    pub gateway: toml::Table,
}

impl Plan {
    /// Node 2 serves everything.
    pub fn away(family: Family) -> Self {
        let (agent, gateway) = (toml::Table::new(), toml::Table::new());
        Self { family, offloads: Offloads::default(), local: 0.0, agent, gateway }
    }

    /// Node 1 serves this much itself; if that is all, it is steered nevertheless.
    pub fn local(self, local: f64) -> Self {
        let mut agent = self.agent;
        // A limit that is never reached: without any, connections would pass natively.
        agent.extend(toml::toml! { [functions.echo]
        max_inflight = 1_000_000 });
        Self { local, agent, ..self }
    }
}

/// Waits until node 1 has found the way to node 2: a peer whose address is not resolved within its three SYNs counts as
/// silent.
fn reachable(lab: &Lab, at: SocketAddr) {
    let found = || {
        lab.node(1).run(|| match TcpStream::connect_timeout(&at, Duration::from_millis(500)) {
            Ok(_) => true,
            // Nobody listens there, but node 2 has answered, or the router that does not know it.
            Err(error) => !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock),
        })
    };
    eventually("node 1 reaches node 2", LIMIT, || found().unwrap().then_some(()));
}

/// The nodes; while a test fails it tells their state.
pub struct Site {
    pub nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Site {
    /// Everything runs in a network that was prepared like this.
    pub fn new(plan: &Plan, prepare: impl FnOnce(&Lab)) -> Self {
        let lab = Lab::new(Topology { nodes: 2, offloads: plan.offloads, ..Topology::default() }).unwrap();
        prepare(&lab);
        let family = plan.family;
        let functions = BTreeMap::from([("echo".to_owned(), Function::echo())]);
        let agent = |peer: u8, static_local| Agent {
            family,
            static_local,
            peers: vec![StaticPeer::node_over(family, peer, 1.0)],
            ..Agent::default()
        };
        let gateway = Gateway { family, functions, ..Gateway::default() };
        let first = Agent { overrides: plan.agent.clone(), ..agent(2, plan.local) };
        let of_first = Gateway { overrides: plan.gateway.clone(), ..gateway.clone() };
        let mut nodes = vec![
            Node::new(&lab, 1, &first, &of_first).unwrap(),
            Node::new(&lab, 2, &agent(1, 100.0), &gateway).unwrap(),
        ];
        for node in nodes.iter_mut().rev() {
            node.start_gateway().unwrap();
            node.start_agent().unwrap();
        }
        reachable(&lab, SocketAddr::new(family.peer_address(2), 1));
        Self { nodes, lab }
    }

    /// Runs a client in this namespace, within [`LIMIT`].
    pub fn client<T: Send, F: Future<Output = T>>(
        &self,
        at: &Namespace,
        make: impl FnOnce() -> F + Send,
    ) -> T {
        let within = || async { tokio::time::timeout(LIMIT, make()).await };
        at.block_on(within).unwrap().unwrap_or_else(|_| panic!("the client waited for too long"))
    }

    /// Invocations that node 1 has bound to a backend: `local` or a node's name. What its agent asks the gateway is none.
    pub fn bound_to(&self, backend: &str) -> f64 {
        let backend = format!("backend=\"{backend}\"");
        let labels = [backend.as_str(), "origin=\"user\"", "function=\"echo\""];
        self.nodes[0].metric("dfaas_invocations_total", &labels).unwrap()
    }

    /// What happened in the data plane of a node, from 1, and why packets were dropped, without zeros.
    pub fn happened(&self, node: u8) -> BTreeMap<&'static str, u64> {
        let folder = self.lab.pin(node).join(format!("v{ABI_VERSION}"));
        let open = |name: &str| -> PerCpuArray<MapData, u64> {
            Map::PerCpuArray(MapData::from_pin(folder.join(name)).unwrap()).try_into().unwrap()
        };
        let sum =
            |map: &PerCpuArray<MapData, u64>, index: u32| map.get(&index, 0).unwrap().iter().sum::<u64>();
        let (events, drops) = (open("HAPPENED"), open("DROPS"));
        let events = Event::ALL.iter().map(|(event, name)| (*name, sum(&events, *event as u32)));
        let drops = DropReason::ALL.iter().map(|(reason, name)| (*name, sum(&drops, *reason as u32)));
        events.chain(drops).filter(|(_, count)| *count != 0).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in 1..=2 {
                eprintln!("{}: {:?}", node_name(node), self.happened(node));
            }
        }
    }
}

/// A connection to a node.
pub async fn connect(address: SocketAddr) -> Connection {
    Connection::open(address).await.unwrap()
}

/// Sends a body of this size through `echo` and checks that it comes back as it was; the node that served it.
pub async fn echo(connection: &mut Connection, size: usize) -> String {
    let sent = body(size);
    let answer = connection.exchange(call("echo", sent.clone())).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{size} bytes");
    assert!(*answer.body() == sent, "{size} bytes came back as {}", answer.body().len());
    served_by(&answer).to_owned()
}

/// Sends bodies on one connection, all of which this node serves.
pub async fn echoes(address: SocketAddr, sizes: &[usize], node: u8) {
    let mut connection = connect(address).await;
    for &size in sizes {
        assert_eq!(echo(&mut connection, size).await, node_name(node), "{size} bytes at {address}");
    }
}
