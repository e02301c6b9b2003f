//! Whole nodes whose handshakes native XDP answers, on virtual pairs of interfaces.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::time::Duration;

use aya::programs::SchedClassifier;
use aya::programs::tc::TcAttachType;
use dfaas_tests::load::{self, Load, run_closed};
use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer, node_name};
use dfaas_tests::{Family, Lab, Node, Topology, driver, eventually};
use nix::sys::signal::Signal;

/// How long anything may take that is not meant to fail.
const LIMIT: Duration = Duration::from_secs(60);
/// Connections to each address of a node.
const COUNT: usize = 1_500;

/// Two nodes: the first is called by users and sends half of it on.
struct Site {
    family: Family,
    nodes: Vec<Node>,
    // Dropped last: the nodes' programs run in it.
    lab: Lab,
}

fn agent(family: Family, index: u8, mode: &str) -> Agent {
    Agent {
        family,
        static_local: if index == 1 { 50.0 } else { 100.0 },
        peers: vec![StaticPeer::node_over(family, 3 - index, 1.0)],
        overrides: format!("[dataplane]\nmode = \"{mode}\"").parse().unwrap(),
        ..Agent::default()
    }
}

impl Site {
    fn new(family: Family) -> Self {
        let lab = Lab::new(Topology { nodes: 2, ..Topology::default() }).unwrap();
        let functions = [("echo".to_owned(), Function::echo())].into();
        let gateway = Gateway { family, functions, ..Gateway::default() };
        let node = |index| Node::new(&lab, index, &agent(family, index, "xdp-native"), &gateway).unwrap();
        let mut nodes = vec![node(1), node(2)];
        for node in nodes.iter_mut().rev() {
            node.start_gateway().unwrap();
            node.start_agent().unwrap();
        }
        Self { family, nodes, lab }
    }

    /// The agent of node 1 makes way for one with this mode; connections go on.
    fn succeed(&mut self, mode: &str, signal: Signal) {
        self.nodes[0].configure_agent(&self.lab, &agent(self.family, 1, mode)).unwrap();
        self.nodes[0].end_agent(Some(signal), LIMIT).unwrap();
        self.nodes[0].start_agent().unwrap();
    }

    /// How node 1 serves its interfaces, as `dfaas status` tells.
    fn modes(&self) -> BTreeMap<String, String> {
        let status = self.nodes[0].json("status").unwrap();
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let all = status["interfaces"].as_array().unwrap();
        all.iter().map(|i| (word(&i["name"]), word(&i["mode"]))).collect()
    }

    /// Frames that native XDP has sent back towards users, and those that it has dropped, since the interface is there.
    fn answered(&self) -> (u64, u64) {
        let counters = self.lab.node(1).run(|| driver::counters("users0")).unwrap().unwrap();
        let sum = |what: &str| counters.iter().filter(|(name, _)| name.ends_with(what)).map(|(_, n)| n).sum();
        (sum("_xdp_redirect"), sum("_xdp_drops"))
    }

    /// What is attached to node 1: tcx programs, and native XDP.
    fn attached(&self) -> (usize, usize) {
        let ask = || {
            let hooks = [TcAttachType::Ingress, TcAttachType::Egress];
            let tcx = |name, kind| SchedClassifier::query_tcx(name, kind).unwrap().1.len();
            let packets = ["users0", "peers0"].map(|name| hooks.map(|kind| tcx(name, kind)));
            let links = std::process::Command::new("ip").args(["link", "show"]).output().unwrap();
            let text = String::from_utf8(links.stdout).unwrap();
            (packets.as_flattened().iter().sum(), text.matches("prog/xdp id ").count())
        };
        self.lab.node(1).run(ask).unwrap()
    }
}

#[test]
fn handshakes_of_many_connections_never_reach_the_stack_and_all_are_served_over_both_families() {
    for family in [Family::Both, Family::BothOverV6] {
        let site = Site::new(family);
        let native = |name: &str| (name.to_owned(), "xdp-native".to_owned());
        assert_eq!(site.modes(), [native("peers0"), native("users0")].into());
        assert_eq!(site.attached(), (4, 2));
        let (answers, drops) = site.answered();
        let addresses = site.nodes[0].addresses();
        let sources = family.user_addresses(1, 0);
        let mut here = 0;
        for (target, source) in addresses.iter().zip(sources) {
            let load = Load {
                sources: vec![source],
                timeout: LIMIT,
                ..Load::new(*target, "echo", 0.0, Duration::ZERO)
            };
            let report = site.lab.users(1).block_on(|| run_closed(load, 16, COUNT)).unwrap();
            let total = report.total();
            let outcome = (total.ok, total.rejected, total.failed);
            assert_eq!(outcome, (COUNT as u64, 0, 0), "{family:?} at {target}: {:?}", report.reasons());
            here += total.by_node[&node_name(1)];
        }
        let all = (addresses.len() * COUNT) as u64;
        assert!(here.abs_diff(all / 2) < 10, "{family:?}: {here} of {all} served here");
        let now = site.answered();
        println!(
            "{family:?}: {all} connections, {} answers, {} acknowledgments",
            now.0 - answers,
            now.1 - drops
        );
        // What comes twice is answered twice, and an acknowledgment may have data with it.
        assert!(now.0 - answers >= all && now.1 > drops, "{family:?}: {now:?} after {answers}, {drops}");
    }
}

#[test]
fn no_user_notices_agents_that_die_and_modes_that_change() {
    let mut site = Site::new(Family::Both);
    let loads = site.nodes[0].addresses().into_iter().map(|target| {
        load::start(
            &site.lab.users(1),
            Load { timeout: LIMIT, ..Load::new(target, "echo", 40.0, Duration::from_secs(24)) },
        )
    });
    let mut loads: Vec<_> = loads.map(Result::unwrap).collect();
    loads[0].wait_until(2);
    site.succeed("xdp-native", Signal::SIGKILL);
    assert_eq!(site.attached(), (4, 2));
    loads[0].wait_until(7);
    site.succeed("auto", Signal::SIGQUIT);
    assert_eq!(site.attached(), (4, 0), "pairs are served by tcx, if nobody asks for something else");
    let still = site.answered();
    loads[0].wait_until(12);
    assert_eq!(site.answered(), still);
    site.succeed("xdp-native", Signal::SIGQUIT);
    assert_eq!(site.attached(), (4, 2));
    eventually("native XDP answers again", LIMIT, || (site.answered().0 > still.0).then_some(()));
    for load in loads {
        let report = load.finish().unwrap();
        let total = report.total();
        assert_eq!((total.failed, total.rejected), (0, 0), "{:?}", report.reasons());
        assert!(total.by_node.len() == 2, "{:?}", total.by_node);
    }
}

#[test]
fn unloading_leaves_nothing_and_users_are_served_as_before() {
    let mut site = Site::new(Family::V4);
    site.nodes[0].kill_agent().unwrap();
    assert_eq!(site.attached(), (4, 2), "nobody is there, and it stays");
    let file = site.nodes[0].agent_file();
    let (status, said) = site.nodes[0].dfaas(&["unload", "--config", file.to_str().unwrap()], LIMIT).unwrap();
    assert!(status.success(), "{said}");
    assert_eq!(site.attached(), (0, 0));
    assert!(!site.lab.pin(1).exists());
    let load = Load { timeout: LIMIT, ..Load::new(site.nodes[0].address(), "echo", 0.0, Duration::ZERO) };
    let report = site.lab.users(1).block_on(|| run_closed(load, 4, 100)).unwrap();
    assert_eq!((report.total().ok, report.total().failed), (100, 0), "{:?}", report.reasons());
}
