//! Nodes that die, come back, and are cut off.

use nix::sys::signal::Signal;

use crate::site::{PATIENCE, Site, eventually, failures, ok_share, served};

/// Invocations that may have been under way at the moment when a node died: far less than a second's worth, each takes
/// milliseconds.
const UNDER_WAY: u64 = 5;

#[test]
fn users_of_a_live_node_lose_nothing_but_what_was_under_way_on_the_node_that_died() {
    let mut site = Site::start(&[10, 100, 100], |_, _, _, _| {});
    let mut running = site.load(60.0, 30);
    running.wait_until(6);
    site.crash(2);
    running.wait_until(16);
    site.plug(2);
    site.start_node(2);
    let report = running.finish().unwrap();
    site.check();

    let total = report.total();
    assert!(total.failed <= UNDER_WAY, "{}", failures(&report));
    let seconds = report.seconds();
    assert!(served(&seconds[3..6], 2) > 10.0, "{:?}", &seconds[3..6]);
    // Four periods of half a second, and the one in which it died.
    assert_eq!(served(&seconds[10..16], 2), 0.0, "{:?}", &seconds[9..16]);
    assert!(served(&seconds[24..], 2) > 10.0, "it is back: {:?}", &seconds[20..]);
    assert!(ok_share(&seconds[9..16]) >= 0.999, "{:?}", &seconds[9..16]);
}

#[test]
fn a_node_that_leaves_in_order_costs_nobody_an_invocation() {
    let mut site = Site::start(&[10, 100, 100], |_, _, _, _| {});
    let mut running = site.load(60.0, 16);
    running.wait_until(5);
    let status = site.node(2).end_agent(Some(Signal::SIGTERM), PATIENCE).unwrap();
    assert!(status.success());
    let report = running.finish().unwrap();
    let total = report.total();
    assert_eq!((total.failed, total.rejected), (0, 0), "{}", failures(&report));
    assert_eq!(served(&report.seconds()[7..], 2), 0.0);
}

#[test]
fn an_agent_that_is_replaced_keeps_its_place_and_loses_nothing() {
    let mut site = Site::start(&[10, 100, 100], |_, _, agent, _| agent.period = "1s".to_owned());
    let mut running = site.load(60.0, 22);
    // An upgrade: the data plane stays, the next agent takes it over; its peers go on with what they were granted.
    for (index, second) in [(2, 4), (1, 11)] {
        running.wait_until(second);
        site.node(index).end_agent(Some(Signal::SIGQUIT), PATIENCE).unwrap();
        site.node(index).start_agent().unwrap();
        site.formed(&[1, 2, 3]);
    }
    site.formed(&[1, 2, 3]);
    let report = running.finish().unwrap();
    site.check();
    let total = report.total();
    assert_eq!((total.failed, total.rejected), (0, 0), "{}", failures(&report));
    assert!(served(&report.seconds()[16..], 2) > 10.0, "{:?}", &report.seconds()[16..]);
}

#[test]
fn a_federation_goes_on_without_the_node_that_all_came_in_by() {
    let mut site = Site::start(&[10, 100, 100], |_, _, _, _| {});
    site.crash(1);
    eventually("nodes 2 and 3 know that node 1 is gone", || {
        let two = site.nodes[1].usable_peers().unwrap();
        let three = site.nodes[2].usable_peers().unwrap();
        (two == ["node-3"] && three == ["node-2"]).then_some(())
    });
    // A node whose only configured entrance is gone finds the others again: it remembers them.
    site.node(2).kill_agent().unwrap();
    site.node(2).start_agent().unwrap();
    site.formed(&[2, 3]);
    site.plug(1);
    site.start_node(1);
    site.formed(&[1, 2, 3]);
}

#[test]
fn both_sides_of_a_partition_serve_their_users_and_find_each_other_again() {
    let mut site = Site::start(&[100, 100, 100], |_, _, _, _| {});
    let mut running = site.load(60.0, 26);
    running.wait_until(3);
    site.unplug(3);
    eventually("node 1 has lost node 3 alone", || {
        (site.nodes[0].usable_peers().unwrap() == ["node-2"]).then_some(())
    });
    eventually("node 3 is alone", || site.nodes[2].usable_peers().unwrap().is_empty().then_some(()));
    running.wait_until(12);
    site.plug(3);
    let report = running.finish().unwrap();
    site.formed(&[1, 2, 3]);
    site.check();
    assert!(report.total().failed <= UNDER_WAY, "{}", failures(&report));
    assert_eq!(report.total().rejected, 0, "{:?}", report.reasons());
}
