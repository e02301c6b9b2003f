//! Loads that come, stay and go, and what becomes of them.

use std::collections::BTreeMap;

use dfaas_control::{LeaseWord, Message, NodeId, Target};

use crate::federation::Federation;
use crate::fluid::Flow;
use crate::host::{FIGLET, PERIOD};

/// The nodes of the CloudNet 2021 test, which have met and are idle.
fn cloudnet() -> Federation {
    let mut federation = Federation::new(&[10.0, 16.0, 24.0]);
    for _ in 0..4 {
        federation.flow(&[]);
        federation.round();
    }
    federation
}

/// Seconds under this load of node 1, each with its tick.
fn seconds(federation: &mut Federation, rate: f64, count: usize) -> Vec<Flow> {
    federation.load(1, rate);
    let second = |_| {
        let flow = federation.flow(&[]);
        federation.round();
        flow
    };
    (0..count).map(second).collect()
}

#[test]
fn the_load_of_the_cloudnet_test_is_served_whole_from_the_third_second_on() {
    let flows = seconds(&mut cloudnet(), 45.0, 30);
    for (second, flow) in flows.iter().enumerate().skip(2) {
        assert!(flow.rejected < 1e-6, "second {}: {flow:?}", second + 1);
    }
    // The helpers carry it by leases, without overflow: no one is asked for more than its level.
    let last = &flows[29].served;
    assert!(last[&1] < 9.8 && last[&2] < 15.6 && last[&3] < 23.4, "{last:?}");
}

#[test]
fn at_the_capacity_of_all_less_than_half_a_percent_is_lost() {
    let flows = seconds(&mut cloudnet(), 50.0, 30);
    for (second, flow) in flows.iter().enumerate().skip(3) {
        assert!(flow.rejected < 0.25, "second {}: {flow:?}", second + 1);
    }
}

#[test]
fn after_a_step_weights_settle_within_three_seconds() {
    for rate in [12.0, 30.0, 45.0, 60.0] {
        let mut federation = cloudnet();
        let mut before = BTreeMap::new();
        federation.load(1, rate);
        for second in 1..=30 {
            federation.flow(&[]);
            federation.round();
            let shares = federation.node(1).shares(1);
            if second > 3 {
                let change =
                    |node: &u64| (shares.get(node).unwrap_or(&0.0) - before.get(node).unwrap_or(&0.0)).abs();
                let most = shares.keys().chain(before.keys()).map(change).fold(0.0, f64::max);
                assert!(most < 0.05, "{rate}/s, second {second}: {before:?} became {shares:?}");
            }
            before = shares;
        }
    }
}

#[test]
fn when_the_load_goes_everything_is_served_where_it_arrives_and_leases_end() {
    let mut federation = cloudnet();
    seconds(&mut federation, 45.0, 10);
    seconds(&mut federation, 4.0, 10);
    assert_eq!(federation.node(1).shares(1), [(1, 1.0)].into());
    for id in [2, 3] {
        assert_eq!(federation.node(id).said[&NodeId(1)].1.grant, 0.0);
    }
}

#[test]
fn two_hot_nodes_share_what_the_third_has() {
    let mut federation = Federation::new(&[10.0, 10.0, 24.0]);
    for _ in 0..4 {
        federation.round();
    }
    federation.load(1, 20.0);
    federation.load(2, 20.0);
    for second in 1..=20 {
        let flow = federation.flow(&[]);
        federation.round();
        assert!(second < 4 || flow.rejected < 0.01, "second {second}: {flow:?}");
    }
    let (one, two) = (federation.node(1).shares(1), federation.node(2).shares(2));
    assert!((one[&3] - two[&3]).abs() < 0.02, "{one:?}, {two:?}");
}

#[test]
fn a_node_whose_peers_fall_silent_serves_what_it_can() {
    let mut federation = cloudnet();
    seconds(&mut federation, 45.0, 5);
    for silent in 1..=5 {
        federation.now += PERIOD;
        federation.tick(1);
        federation.wire.clear();
        let peers = federation.node(1).shares(1).len() - 1;
        assert_eq!(peers, if silent < 4 { 2 } else { 0 }, "after {silent} s");
    }
    let plan = &federation.node(1).plan.as_ref().unwrap().functions[&FIGLET];
    assert_eq!((plan.shares.part(Target::Local), plan.overflow.len()), (65_536, 0));
}

#[test]
fn who_claims_much_and_refuses_everything_costs_a_few_seconds() {
    let mut federation = Federation::new(&[10.0, 16.0, 24.0]);
    let lie = LeaseWord { capacity: 1e30, headroom: 1e30, free: 1e30, grant: 1e30, ..LeaseWord::default() };
    federation.node(1).meets(66).rtt = Some(std::time::Duration::from_micros(1));
    let mut flows = Vec::new();
    for second in 0..40 {
        federation.load(1, if second < 4 { 0.0 } else { 40.0 });
        let flow = federation.flow(&[66]);
        federation.round();
        let now = federation.now;
        federation.node(1).hear(now, 66, &Message::Lease(lie.clone()));
        flows.push(flow);
    }
    for (second, flow) in flows.iter().enumerate() {
        // What it refuses is served here as far as it goes, and elsewhere.
        assert!(second < 10 || flow.rejected < 4.0, "second {second}: {flow:?}");
        assert!(second < 5 || flow.served[&1] > 6.0, "second {second}: {flow:?}");
    }
}
