//! The CloudNet 2021 test and its variations: three nodes that serve 10, 16 and 24 a second.

use std::collections::BTreeMap;

use dfaas_control::{Command, NodeId, RecalcSplit};

use crate::federation::Federation;
use crate::host::{FIGLET, PERIOD};

const CAPACITIES: [f64; 3] = [10.0, 16.0, 24.0];

/// All the load into node 1: 50 a second, what the three can do together.
fn cloudnet(split: RecalcSplit) -> Federation {
    let mut federation = Federation::new(split, &CAPACITIES);
    federation.round();
    federation.load(1, 50.0);
    federation.round();
    federation
}

#[track_caller]
fn assert_serves(federation: &mut Federation, node: u64, expected: &[(u64, f64)]) {
    let served = federation.node(node).served(node);
    let expected: BTreeMap<u64, f64> = expected.iter().copied().collect();
    assert_eq!(served.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{served:?}");
    for (id, rate) in &served {
        // A part of 65,536 is as exact as shares are.
        assert!((rate - expected[id]).abs() < 0.001, "{served:?}, not {expected:?}");
    }
}

#[test]
fn margins_for_the_overloaded_serve_all_of_the_cloudnet_test() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    assert_eq!(federation.node(1).limits(), [(2, 16.0), (3, 24.0)].into());
    assert_serves(&mut federation, 1, &[(1, 10.0), (2, 16.0), (3, 24.0)]);
}

#[test]
fn margins_for_all_strand_what_the_others_do_not_need() {
    let mut federation = cloudnet(RecalcSplit::All);
    assert_eq!(federation.node(1).limits(), [(2, 8.0), (3, 12.0)].into());
    assert_serves(&mut federation, 1, &[(1, 10.0), (2, 8.0), (3, 12.0)]);
}

#[test]
fn a_tick_of_the_overloaded_node_alone_is_enough() {
    let mut federation = Federation::new(RecalcSplit::Overloaded, &CAPACITIES);
    federation.round();
    federation.round();
    assert_eq!(federation.node(1).limits(), [(2, 8.0), (3, 12.0)].into(), "nobody is overloaded");
    federation.load(1, 50.0);
    federation.now += PERIOD;
    federation.tick(1);
    federation.settle();
    assert_serves(&mut federation, 1, &[(1, 10.0), (2, 16.0), (3, 24.0)]);
}

#[test]
fn while_nothing_changes_only_ticks_send_messages_and_set_plans() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    federation.round();
    federation.log.clear();
    for _ in 0..5 {
        assert_eq!(federation.round(), 6);
    }
    let plans = federation.log.iter().filter(|(_, command)| matches!(command, Command::SetPlan(_)));
    assert_eq!(plans.count(), 5 * 3);
}

#[test]
fn two_overloaded_nodes_get_the_same_of_the_third() {
    let mut federation = Federation::new(RecalcSplit::Overloaded, &CAPACITIES);
    federation.round();
    federation.load(1, 50.0);
    federation.load(2, 17.0);
    federation.round();
    assert_serves(&mut federation, 1, &[(1, 10.0), (3, 12.0)]);
    assert_serves(&mut federation, 2, &[(2, 16.0), (3, 1.0)]);
}

#[test]
fn a_second_overload_halves_the_first_ones_grants_at_once() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    federation.load(2, 30.0);
    federation.now += PERIOD;
    federation.tick(2);
    federation.settle();
    assert_serves(&mut federation, 1, &[(1, 10.0), (3, 12.0)]);
    assert_serves(&mut federation, 2, &[(2, 16.0), (3, 12.0)]);
    let admission = &federation.node(3).plan.as_ref().unwrap().admission;
    assert_eq!(admission[&NodeId(1)], admission[&NodeId(2)]);
    assert!((admission[&NodeId(1)].rate - 13.7).abs() < 1e-9, "{admission:?}");
}

#[test]
fn users_of_a_granting_node_come_first() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    federation.load(3, 20.0);
    federation.round();
    assert_serves(&mut federation, 1, &[(1, 10.0), (2, 16.0), (3, 4.0)]);
    assert_serves(&mut federation, 3, &[(3, 20.0)]);
}

#[test]
fn when_the_load_falls_back_everything_is_served_where_it_arrives() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    federation.load(1, 4.0);
    federation.round();
    federation.round();
    assert_serves(&mut federation, 1, &[(1, 4.0), (2, 0.0), (3, 0.0)]);
    // Nobody is overloaded, so margins are for all that have the function, and stand ready for a burst.
    assert_eq!(federation.node(1).limits(), [(2, 8.0), (3, 12.0)].into());
    assert_eq!(federation.node(2).limits(), [(1, 3.0), (3, 12.0)].into());
    assert!(federation.node(1).plan.as_ref().unwrap().functions[&FIGLET].local_first);
}

#[test]
fn a_node_that_left_gets_nothing_any_more() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    federation.remove(3);
    // The host ticks at once when a peer goes; no message is needed for that.
    federation.tick(1);
    assert_eq!(federation.node(1).limits(), [(2, 16.0)].into());
    federation.settle();
    assert_serves(&mut federation, 1, &[(1, 10.0), (2, 16.0)]);
}

#[test]
fn a_node_that_comes_is_used_before_its_second_tick() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    let mut late = Federation::new(RecalcSplit::Overloaded, &[0.0, 0.0, 0.0, 30.0]);
    let newcomer = late.nodes.remove(&NodeId(4)).unwrap();
    federation.nodes.insert(NodeId(4), newcomer);
    federation.load(1, 80.0);
    for id in 1..=3 {
        federation.node(id).meets(4);
        federation.tick(id);
    }
    federation.tick(4);
    federation.settle();
    assert_eq!(federation.node(1).limits().get(&4), None, "it has not counted its own users yet");
    federation.now += PERIOD;
    federation.tick(4);
    federation.settle();
    assert_serves(&mut federation, 1, &[(1, 10.0), (2, 16.0), (3, 24.0), (4, 30.0)]);
}

#[test]
fn grants_of_peers_that_fall_silent_run_out() {
    let mut federation = cloudnet(RecalcSplit::Overloaded);
    for _ in 0..3 {
        federation.now += PERIOD;
        federation.tick(1);
        federation.wire.clear();
        assert_eq!(federation.node(1).limits().len(), 2, "at {:?}", federation.now);
    }
    federation.now += PERIOD;
    federation.tick(1);
    assert_serves(&mut federation, 1, &[(1, 10.0)]);
}

#[test]
fn users_that_ask_for_just_about_the_limit_do_not_make_grants_flap() {
    let mut federation = Federation::new(RecalcSplit::Overloaded, &CAPACITIES);
    federation.round();
    federation.load(1, 10.0);
    federation.round();
    for rate in [9.0, 10.0, 9.0, 9.5, 10.0, 9.0] {
        federation.load(1, rate);
        assert_eq!(federation.round(), 6, "ticks only");
        assert_eq!(federation.node(1).limits(), [(2, 16.0), (3, 24.0)].into());
    }
}
