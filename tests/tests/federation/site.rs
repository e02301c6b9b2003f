//! A federation of the lab: node 1 is the entrance for the others, and its users call.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_tests::federation::{self, Identities};
use dfaas_tests::load::{self, Load, Report, Second};
use dfaas_tests::settings::{Agent, Function, Gateway, node_name};
use dfaas_tests::{Lab, Node, Topology, dfaas_binary};

/// Longest time for something that must come about; only what is broken comes near it.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Site {
    pub nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    pub lab: Lab,
}

impl Site {
    /// Nodes whose label says that they serve `figlet` so often a second, while their gateways serve whatever comes: what
    /// is refused is refused by the data plane. `adapt` changes what a node (by index, from
    /// 1) is configured with. Nothing runs yet.
    pub fn prepare(capacities: &[u32], adapt: impl Fn(u8, &Identities, &mut Agent, &mut Gateway)) -> Self {
        let count = u8::try_from(capacities.len()).unwrap();
        let lab = Lab::new(Topology { nodes: count, ..Topology::default() }).unwrap();
        let settings = |index: u8, identities: &Identities| {
            let mut agent =
                Agent { strategy: "recalc".to_owned(), period: "500ms".to_owned(), ..Agent::default() };
            let figlet = Function::echo().labelled(capacities[usize::from(index) - 1].into());
            let functions = BTreeMap::from([("figlet".to_owned(), figlet)]);
            let mut gateway = Gateway { functions, ..Gateway::default() };
            adapt(index, identities, &mut agent, &mut gateway);
            (agent, gateway)
        };
        let (nodes, _) = federation::nodes(&lab, count, &dfaas_binary().unwrap(), settings).unwrap();
        Self { nodes, lab }
    }

    /// The same, running, each having found all others.
    pub fn start(capacities: &[u32], adapt: impl Fn(u8, &Identities, &mut Agent, &mut Gateway)) -> Self {
        let mut site = Self::prepare(capacities, adapt);
        for index in 1..=site.lab.nodes() {
            site.start_node(index);
        }
        site.formed(&(1..=site.lab.nodes()).collect::<Vec<_>>());
        site
    }

    pub fn node(&mut self, index: u8) -> &mut Node {
        &mut self.nodes[usize::from(index) - 1]
    }

    pub fn start_node(&mut self, index: u8) {
        self.node(index).start_gateway().unwrap();
        self.node(index).start_agent().unwrap();
    }

    /// Waits until each of these nodes sends invocations to the others.
    pub fn formed(&self, indexes: &[u8]) {
        let nodes: Vec<&Node> = indexes.iter().map(|index| &self.nodes[usize::from(*index) - 1]).collect();
        federation::wait_formed(&nodes).unwrap();
    }

    /// Users of node 1 call `figlet` so often a second.
    pub fn load(&self, rate: f64, seconds: u64) -> load::Running {
        let mut load = Load::new(self.nodes[0].address(), "figlet", rate, Duration::from_secs(seconds));
        // What hangs is found before the test's own patience is over.
        load.timeout = Duration::from_secs(8);
        load::start(&self.lab.users(1), load).unwrap()
    }

    /// The machine of a node is gone from one moment to the next: no packet comes or goes, its programs end.
    pub fn crash(&mut self, index: u8) {
        self.unplug(index);
        self.node(index).kill_agent().unwrap();
        self.node(index).kill_gateway().unwrap();
    }

    /// Takes a node's cable to the others out.
    pub fn unplug(&self, index: u8) {
        self.cable(index, "down");
    }

    /// Puts it in again.
    pub fn plug(&self, index: u8) {
        self.cable(index, "up");
    }

    fn cable(&self, index: u8, state: &'static str) {
        let port = format!("node{index}");
        let set = || std::process::Command::new("ip").args(["link", "set", "dev", &*port, state]).status();
        assert!(self.lab.switch().run(set).unwrap().unwrap().success());
    }

    /// All programs that were started live.
    pub fn check(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.check().unwrap());
    }
}

/// Asks again and again until there is an answer; fails if that takes too long.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    dfaas_tests::eventually(what, PATIENCE, ask)
}

/// Mean invocations a second that node `index` served in these seconds.
pub fn served(seconds: &[Second], index: u8) -> f64 {
    let sum: u64 =
        seconds.iter().map(|second| second.by_node.get(&node_name(index)).copied().unwrap_or(0)).sum();
    sum as f64 / seconds.len() as f64
}

/// The part of these seconds' invocations that was answered well.
pub fn ok_share(seconds: &[Second]) -> f64 {
    let (ok, sent) = seconds.iter().fold((0, 0), |(ok, sent), second| (ok + second.ok, sent + second.sent));
    ok as f64 / sent as f64
}

/// Seconds in which not all was answered well, for messages.
pub fn failures(report: &Report) -> String {
    let bad: Vec<&Second> = report.seconds().iter().filter(|second| second.ok < second.sent).collect();
    format!("{:?} in {bad:?}", report.reasons())
}
