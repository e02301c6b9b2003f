//! The test of the CloudNet 2021 article: three nodes that serve 10, 16 and 24 invocations a second, all load into the
//! first.

use dfaas_tests::settings::{Function, Gateway};

use crate::site::{Site, failures, ok_share, served};

const CAPACITIES: [u32; 3] = [10, 16, 24];

/// Gateways that serve no more than that.
fn limit(index: u8, gateway: &mut Gateway) {
    let capacity = f64::from(CAPACITIES[usize::from(index) - 1]);
    gateway.functions.insert("figlet".to_owned(), Function::echo_at_most(capacity).labelled(capacity));
}

fn paper(rate: f64, seconds: u64) -> dfaas_tests::load::Report {
    let mut site = Site::start(&CAPACITIES, |index, _, agent, gateway| {
        agent.period = "2s".to_owned();
        limit(index, gateway);
    });
    let report = site.load(rate, seconds).finish().unwrap();
    site.check();
    assert_eq!(report.total().failed, 0, "{}", failures(&report));
    report
}

#[test]
fn fifty_a_second_into_a_node_that_serves_ten_are_what_three_nodes_can_serve_together() {
    let report = paper(50.0, 30);
    let settled = &report.seconds()[15..];
    assert!(ok_share(settled) >= 0.97, "{:?}", report.seconds());
    for (index, capacity) in (1..).zip(CAPACITIES) {
        let rate = served(settled, index);
        assert!(
            (rate - f64::from(capacity)).abs() <= 1.0,
            "node {index} serves {rate} of {capacity} a second"
        );
    }
}

#[test]
fn with_a_tenth_to_spare_all_are_answered_and_the_first_node_keeps_what_it_can_serve() {
    let report = paper(45.0, 30);
    let settled = &report.seconds()[15..];
    assert!(ok_share(settled) >= 0.99, "{:?}", report.seconds());
    assert!((served(settled, 1) - 10.0).abs() <= 1.0, "{settled:?}");
    // The rest in proportion to what the peers grant: 16 to 24.
    let (second, third) = (served(settled, 2), served(settled, 3));
    assert!((second / third - 16.0 / 24.0).abs() < 0.1, "{second} and {third}");
}

#[test]
fn the_published_code_strands_the_margin_of_peers_that_need_none() {
    let site = Site::start(&CAPACITIES, |index, _, agent, gateway| {
        limit(index, gateway);
        agent.overrides = "[control.recalc]\nsplit = \"all\"".parse().unwrap();
    });
    let report = site.load(50.0, 16).finish().unwrap();
    assert_eq!(report.total().failed, 0, "{}", failures(&report));
    let settled = &report.seconds()[8..];
    // Half of each peer's margin goes to the other peer, which does not need it.
    for (index, rate) in [(1, 10.0), (2, 8.0), (3, 12.0)] {
        let found = served(settled, index);
        assert!((found - rate).abs() <= 1.0, "node {index} serves {found} instead of {rate} a second");
    }
}
