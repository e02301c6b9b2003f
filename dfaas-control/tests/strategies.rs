//! The strategies as a host sees them: measurements in, plans out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, MAX_TARGETS, Measurements, NodeId, Options,
    PeerFunctions, PeerMeasurements, Plan, Random, SHARE_ONE, Shares, Target, Time, strategy,
};
use proptest::prelude::*;

/// Randomness that these strategies have no right to ask for.
struct NoDice;

impl Random for NoDice {
    fn next_u64(&mut self) -> u64 {
        panic!("a fixed strategy drew a random number")
    }
}

const FIGLET: FunctionId = FunctionId(7);

fn plan(name: &str, options: &Options, measured: &Measurements) -> Plan {
    let commands =
        strategy(name, options).expect("a known name").on_tick(Time::default(), measured, &mut NoDice);
    match commands.as_slice() {
        [Command::SetPlan(plan)] => plan.clone(),
        other => panic!("not one plan: {other:?}"),
    }
}

fn figlet(function: FunctionMeasurements, peers: &[(u64, PeerMeasurements)]) -> Measurements {
    Measurements {
        functions: BTreeMap::from([(FIGLET, function)]),
        peers: peers.iter().map(|(id, peer)| (NodeId(*id), peer.clone())).collect(),
        ..Measurements::default()
    }
}

fn with_share(share: f64) -> PeerMeasurements {
    PeerMeasurements { share, ..PeerMeasurements::default() }
}

fn local(percent: f64) -> Options {
    Options { static_local: percent, ..Options::default() }
}

fn static_plan(options: &Options, measured: &Measurements) -> FunctionPlan {
    plan("static", options, measured).functions[&FIGLET].clone()
}

#[test]
fn alllocal_keeps_everything_and_passes_the_functions_limits_on() {
    let function = FunctionMeasurements {
        max_rate: Some(10.0),
        max_inflight: Some(4),
        ..FunctionMeasurements::default()
    };
    let plan = plan("alllocal", &Options::default(), &figlet(function, &[(1, with_share(1.0))]));
    let figlet = &plan.functions[&FIGLET];
    assert_eq!(figlet.shares, Shares::all(Target::Local));
    assert_eq!((figlet.local_rate, figlet.local_inflight), (Some(10.0), Some(4)));
    assert_eq!(plan.lifetime, Duration::from_millis(3500));
}

#[test]
fn static_divides_the_capacities_of_the_cloudnet_test_exactly() {
    // Capacities 10/16/24: a fifth stays, the rest goes 16 to 24.
    let measured = figlet(FunctionMeasurements::default(), &[(2, with_share(16.0)), (3, with_share(24.0))]);
    let plan = static_plan(&local(20.0), &measured);
    let part = |target| f64::from(plan.shares.part(target)) / f64::from(SHARE_ONE);
    assert!((part(Target::Local) - 0.20).abs() < 2e-5);
    assert!((part(Target::Peer(NodeId(2))) - 0.32).abs() < 2e-5);
    assert!((part(Target::Peer(NodeId(3))) - 0.48).abs() < 2e-5);
}

#[test]
fn static_keeps_everything_when_no_peer_can_help() {
    let elsewhere = PeerMeasurements {
        functions: PeerFunctions::Known(BTreeSet::from([FunctionId(8)])),
        ..with_share(1.0)
    };
    for peers in [vec![], vec![(1, with_share(0.0))], vec![(1, elsewhere)]] {
        let plan = static_plan(&local(10.0), &figlet(FunctionMeasurements::default(), &peers));
        assert_eq!(plan.shares, Shares::all(Target::Local), "{peers:?}");
    }
}

#[test]
fn static_never_sends_a_local_only_function_away() {
    let function = FunctionMeasurements { local_only: true, ..FunctionMeasurements::default() };
    let plan = static_plan(&local(0.0), &figlet(function, &[(1, with_share(1.0))]));
    assert_eq!(plan.shares, Shares::all(Target::Local));
}

#[test]
fn static_sends_all_of_a_function_that_only_peers_have() {
    let function = FunctionMeasurements { here: false, ..FunctionMeasurements::default() };
    let has_it =
        PeerMeasurements { functions: PeerFunctions::Known(BTreeSet::from([FIGLET])), ..with_share(1.0) };
    // Peer 2 told nobody what it has, so only what this node has is expected of it.
    let plan = static_plan(&local(60.0), &figlet(function, &[(1, has_it), (2, with_share(1.0))]));
    assert_eq!(plan.shares, Shares::all(Target::Peer(NodeId(1))));
}

#[test]
fn static_uses_the_largest_shares_when_a_plan_cannot_hold_all_peers() {
    let peers: Vec<_> = (1..=30).map(|id| (id, with_share(id as f64))).collect();
    let plan = static_plan(&local(50.0), &figlet(FunctionMeasurements::default(), &peers));
    assert_eq!(plan.shares.parts().len(), MAX_TARGETS);
    assert_eq!(plan.shares.part(Target::Peer(NodeId(13))), 0);
    assert!(plan.shares.part(Target::Peer(NodeId(14))) > 0);
}

proptest! {
    #[test]
    fn shares_sum_to_the_whole_and_each_part_is_within_one_of_exact(
        weights in proptest::collection::vec(0.0_f64..1e12, 1..=MAX_TARGETS)
    ) {
        let named: Vec<_> = weights.iter().enumerate()
            .map(|(id, weight)| (Target::Peer(NodeId(id as u64)), *weight)).collect();
        let total: f64 = weights.iter().sum();
        prop_assume!(total > 0.0);
        let shares = Shares::proportional(&named).unwrap();
        prop_assert_eq!(shares.parts().iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
        prop_assert_eq!(shares.cumulative().last().unwrap().1, SHARE_ONE);
        for (target, weight) in &named {
            let exact = weight / total * f64::from(SHARE_ONE);
            prop_assert!((f64::from(shares.part(*target)) - exact).abs() < 1.0 + 1e-6);
        }
    }

    #[test]
    fn no_weight_whatever_makes_shares_panic_or_sum_wrong(
        weights in proptest::collection::vec(proptest::num::f64::ANY, 0..24)
    ) {
        let named: Vec<_> = weights.iter().enumerate()
            .map(|(id, weight)| (Target::Peer(NodeId(id as u64)), *weight)).collect();
        if let Ok(shares) = Shares::proportional(&named) {
            prop_assert_eq!(shares.parts().iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
            prop_assert!(shares.parts().iter().all(|(_, part)| *part > 0));
            prop_assert!(shares.parts().len() <= MAX_TARGETS);
        }
    }

    #[test]
    fn static_keeps_its_percentage_whatever_the_peers_weigh(
        percent in 0.0_f64..=100.0,
        peers in proptest::collection::vec(0.001_f64..1e300, 1..40)
    ) {
        let peers: Vec<_> = peers.iter().enumerate().map(|(id, share)| (id as u64, with_share(*share))).collect();
        let plan = static_plan(&local(percent), &figlet(FunctionMeasurements::default(), &peers));
        let kept = f64::from(plan.shares.part(Target::Local));
        prop_assert!((kept - percent / 100.0 * f64::from(SHARE_ONE)).abs() < 1.0 + 1e-6);
    }
}
