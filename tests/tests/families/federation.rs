//! Nodes that find each other over IPv6, and prove there where their data ports are.

use std::time::Duration;

use dfaas_tests::load::{self, Load};
use dfaas_tests::settings::{Agent, Gateway};
use dfaas_tests::{Family, Lab, Topology, dfaas_binary, federation};

use crate::site::functions;

#[test]
fn nodes_that_find_each_other_over_ipv6_share_the_load_of_users_of_both_families() {
    let family = Family::BothOverV6;
    let lab = Lab::new(Topology { nodes: 3, ..Topology::default() }).unwrap();
    let settings = |_, _: &federation::Identities| {
        let agent = Agent { family, static_local: 25.0, ..Agent::default() };
        (agent, Gateway { family, functions: functions(), ..Gateway::default() })
    };
    let (mut nodes, _) = federation::nodes(&lab, 3, &dfaas_binary().unwrap(), settings).unwrap();
    for node in &mut nodes {
        node.start_gateway().unwrap();
        node.start_agent().unwrap();
    }
    federation::wait_formed(&nodes.iter().collect::<Vec<_>>()).unwrap();
    let peers = nodes[0].json("peers").unwrap();
    let at: Vec<_> = peers["peers"].as_array().unwrap().iter().map(|peer| peer["address"].clone()).collect();
    assert_eq!(at, ["fd77::2", "fd77::3"], "{peers}");

    for target in nodes[0].addresses() {
        let load = Load::new(target, "echo", 100.0, Duration::from_secs(3));
        let report = load::start(&lab.users(1), load).unwrap().finish().unwrap();
        let total = report.total();
        assert_eq!((total.ok, total.failed), (300, 0), "{target}: {:?}", report.reasons());
        assert_eq!(total.by_node.len(), 3, "all nodes serve: {:?}", total.by_node);
    }
}
