//! Many short connections, divided as planned, over every family.

use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::Family;
use dfaas_tests::load::{Load, run_closed};
use dfaas_tests::settings::node_name;

use crate::site::{LIMIT, Site};

/// Connections to each address of the node.
const COUNT: usize = 2_000;
/// Percent that node 1 serves itself.
const LOCAL: f64 = 40.0;

#[test]
fn many_connections_are_divided_as_planned_and_meet_no_error_over_every_family() {
    for family in Family::ALL {
        let site = Site::new(family, LOCAL);
        let addresses = site.nodes[0].addresses();
        let sources = family.user_addresses(1, 0);
        let mut here = 0;
        for (target, source) in addresses.iter().zip(sources) {
            let load = Load {
                sources: vec![source],
                body: Bytes::from_static(b"one of many"),
                timeout: LIMIT,
                ..Load::new(*target, "echo", 0.0, Duration::ZERO)
            };
            let report = site.lab.users(1).block_on(|| run_closed(load, 32, COUNT)).unwrap();
            let total = report.total();
            let outcome = (total.ok, total.rejected, total.failed);
            assert_eq!(outcome, (COUNT as u64, 0, 0), "{family:?} at {target}: {:?}", report.reasons());
            here += total.by_node[&node_name(1)];
        }
        let all = (COUNT * addresses.len()) as f64;
        let wanted = all * LOCAL / 100.0;
        println!("{family:?}: {here} of {all} served here");
        assert!((here as f64 - wanted).abs() < 10.0, "{family:?}: {here} instead of about {wanted}");
        assert_eq!(site.bound_to("local"), here as f64, "the data plane counts as the users do");
    }
}
