//! A node that is told to take nothing from others.

use std::time::Duration;

use dfaas_tests::load::{self, Load};

use crate::site::{Site, eventually, failures, served};

#[test]
fn a_node_that_drains_costs_nobody_an_invocation_and_serves_its_own_users_as_before() {
    let mut site = Site::start(&[10, 30, 100], |_, _, _, _| {});
    let mut running = site.load(60.0, 22);
    running.wait_until(5);
    site.node(2).tell("drain").unwrap();
    eventually("node 1 sends nothing to node 2", || {
        (site.nodes[0].usable_peers().unwrap() == ["node-3"]).then_some(())
    });
    let status = site.nodes[1].json("status").unwrap();
    assert!(status["draining"] == true && status["health"]["ok"] == true, "{status}");
    assert_eq!(site.nodes[1].usable_peers().unwrap(), ["node-1", "node-3"], "it still sends to others");
    let accepted = |site: &Site| {
        let metric = site.nodes[1].metric("dfaas_peer_connections_total", &["outcome=\"accepted\""]);
        metric.unwrap()
    };
    running.wait_until(8);
    let before = accepted(&site);

    // Its own users have all of it.
    let own = Load::new(site.nodes[1].address(), "figlet", 25.0, Duration::from_secs(4));
    let own = load::start(&site.lab.users(2), own).unwrap().finish().unwrap();
    assert_eq!((own.total().failed, own.total().rejected), (0, 0), "{}", failures(&own));
    assert_eq!(own.total().by_node["node-2"], 100);
    assert_eq!(accepted(&site), before, "and it took nothing in this time");

    running.wait_until(15);
    site.node(2).tell("resume").unwrap();
    let report = running.finish().unwrap();
    site.check();
    let total = report.total();
    assert_eq!((total.failed, total.rejected), (0, 0), "{}", failures(&report));
    let seconds = report.seconds();
    assert!(served(&seconds[3..5], 2) > 5.0, "{seconds:?}");
    // The beat that says so goes at once; what was under way is answered.
    assert_eq!(served(&seconds[7..15], 2), 0.0, "{seconds:?}");
    assert!(served(&seconds[18..], 2) > 5.0, "it takes again: {seconds:?}");
}
