//! `random` and `latency-threshold`: parts that depend on dice and on distance.

use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, MAX_TARGETS, Measurements, NodeId, Options,
    PeerFunctions, PeerMeasurements, Random, SHARE_ONE, Shares, Target, Time, strategy,
};
use proptest::prelude::*;

const FIGLET: FunctionId = FunctionId(7);

/// Numbers that differ and come again with the same seed (SplitMix64).
struct Dice(u64);

impl Random for Dice {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (mixed >> 31)
    }
}

struct Zeros;

impl Random for Zeros {
    fn next_u64(&mut self) -> u64 {
        0
    }
}

fn far(milliseconds: u64) -> PeerMeasurements {
    PeerMeasurements { rtt: Some(Duration::from_millis(milliseconds)), ..PeerMeasurements::default() }
}

fn knows(functions: &[FunctionId]) -> PeerMeasurements {
    let functions = PeerFunctions::Known(functions.iter().copied().collect::<BTreeSet<_>>());
    PeerMeasurements { functions, ..far(1) }
}

fn measured(function: FunctionMeasurements, peers: &[PeerMeasurements]) -> Measurements {
    Measurements {
        functions: [(FIGLET, function)].into(),
        peers: (1..).map(NodeId).zip(peers.iter().cloned()).collect(),
        ..Measurements::default()
    }
}

fn plan(name: &str, options: &Options, measured: &Measurements, random: &mut dyn Random) -> FunctionPlan {
    let commands = strategy(name, options).expect("a known name").on_tick(Time::default(), measured, random);
    match commands.as_slice() {
        [Command::SetPlan(plan)] => {
            assert_eq!(plan.lifetime, options.period * 7 / 2);
            plan.functions[&FIGLET].clone()
        }
        other => panic!("not one plan: {other:?}"),
    }
}

fn targets(plan: &FunctionPlan) -> Vec<Target> {
    plan.shares.parts().iter().map(|(target, _)| *target).collect()
}

fn here() -> FunctionMeasurements {
    FunctionMeasurements::default()
}

fn rejecting() -> Options {
    Options { random_reject: true, ..Options::default() }
}

#[test]
fn random_parts_are_drawn_anew_at_each_tick_and_come_again_with_the_seed() {
    let measured = measured(here(), &[far(1), far(1)]);
    let mut dice = Dice(1);
    let mut draw = || plan("random", &Options::default(), &measured, &mut dice);
    let (first, second) = (draw(), draw());
    assert_ne!(first, second);
    assert_eq!(first, plan("random", &Options::default(), &measured, &mut Dice(1)));
    let all: BTreeSet<Target> = targets(&first).into_iter().collect();
    assert_eq!(all, [Target::Local, Target::Peer(NodeId(1)), Target::Peer(NodeId(2))].into());
}

#[test]
fn random_parts_are_the_same_for_all_in_the_long_run() {
    let measured = measured(here(), &[far(1), far(1)]);
    let mut dice = Dice(2);
    let mut sums = [0.0; 4];
    for _ in 0..4_000 {
        let plan = plan("random", &rejecting(), &measured, &mut dice);
        let all = [Target::Local, Target::Peer(NodeId(1)), Target::Peer(NodeId(2)), Target::Reject];
        for (sum, target) in sums.iter_mut().zip(all) {
            *sum += f64::from(plan.shares.part(target)) / f64::from(SHARE_ONE) / 4_000.0;
        }
    }
    // The deviation of a part is about .13, that of a mean of 4,000 about .002.
    assert!(sums.iter().all(|mean| (mean - 0.25).abs() < 0.01), "{sums:?}");
}

#[test]
fn random_refuses_only_when_told_to() {
    let measured = measured(here(), &[far(1)]);
    let count = |options: &Options| {
        let mut dice = Dice(3);
        let plans = (0..100).map(|_| plan("random", options, &measured, &mut dice));
        plans.filter(|plan| plan.shares.part(Target::Reject) > 0).count()
    };
    assert_eq!((count(&Options::default()), count(&rejecting())), (0, 100));
}

#[test]
fn random_keeps_what_must_not_leave_and_sends_away_what_is_not_here() {
    let own = FunctionMeasurements { local_only: true, max_rate: Some(3.0), max_inflight: Some(2), ..here() };
    let kept = plan("random", &rejecting(), &measured(own, &[far(1)]), &mut Dice(4));
    assert_eq!(kept.shares, Shares::all(Target::Local));
    assert_eq!((kept.local_rate, kept.local_inflight), (Some(3.0), Some(2)));

    let elsewhere = FunctionMeasurements { here: false, ..here() };
    let peers = [knows(&[FIGLET]), knows(&[]), far(1)];
    let sent = plan("random", &Options::default(), &measured(elsewhere, &peers), &mut Dice(4));
    assert_eq!(sent.shares, Shares::all(Target::Peer(NodeId(1))));
    let nowhere = plan("random", &rejecting(), &measured(elsewhere, &peers[1..]), &mut Dice(4));
    assert_eq!(nowhere.shares, Shares::all(Target::Local));
}

#[test]
fn dice_that_always_show_nothing_leave_everything_here() {
    let plan = plan("random", &rejecting(), &measured(here(), &[far(1)]), &mut Zeros);
    assert_eq!(plan.shares, Shares::all(Target::Local));
}

#[test]
fn peers_below_the_threshold_share_equally_with_this_node() {
    let options = Options { latency_threshold: Duration::from_millis(10), ..Options::default() };
    let unknown = PeerMeasurements { rtt: None, ..far(0) };
    let closed = PeerMeasurements { share: 0.0, ..far(1) };
    let peers = [far(9), far(10), unknown, far(2), knows(&[]), closed];
    let plan = plan("latency-threshold", &options, &measured(here(), &peers), &mut Zeros);
    assert_eq!(targets(&plan), [Target::Local, Target::Peer(NodeId(4)), Target::Peer(NodeId(1))]);
    let parts: Vec<u32> = plan.shares.parts().iter().map(|(_, part)| *part).collect();
    assert_eq!(parts, [21_846, 21_845, 21_845]);
}

#[test]
fn without_a_near_peer_everything_stays_with_its_limits() {
    let limited = FunctionMeasurements { max_rate: Some(3.0), max_inflight: Some(2), ..here() };
    let plan = plan("latency-threshold", &Options::default(), &measured(limited, &[far(50)]), &mut Zeros);
    assert_eq!(plan.shares, Shares::all(Target::Local));
    assert_eq!((plan.local_rate, plan.local_inflight), (Some(3.0), Some(2)));
}

#[test]
fn distance_does_not_move_what_must_stay_and_moves_all_of_what_is_not_here() {
    let decide = |function, peers: &[_]| {
        plan("latency-threshold", &Options::default(), &measured(function, peers), &mut Zeros)
    };
    let own = FunctionMeasurements { local_only: true, ..here() };
    assert_eq!(decide(own, &[far(1)]).shares, Shares::all(Target::Local));
    let elsewhere = FunctionMeasurements { here: false, ..here() };
    assert_eq!(decide(elsewhere, &[knows(&[FIGLET])]).shares, Shares::all(Target::Peer(NodeId(1))));
}

#[test]
fn of_more_near_peers_than_a_plan_holds_the_nearest_are_used() {
    let peers: Vec<_> = (1..=30).rev().map(far).collect();
    let plan = plan("latency-threshold", &Options::default(), &measured(here(), &peers), &mut Zeros);
    assert_eq!(plan.shares.parts().len(), MAX_TARGETS);
    assert_eq!(plan.shares.part(Target::Peer(NodeId(13))), 0, "18 ms");
    assert!(plan.shares.part(Target::Peer(NodeId(14))) > 0, "17 ms");
}

proptest! {
    #[test]
    fn whatever_the_peers_are_the_parts_make_a_whole_that_a_plan_holds(
        name in prop_oneof![Just("random"), Just("latency-threshold")],
        rtts in proptest::collection::vec(proptest::option::of(0_u64..100), 0..40),
        here: bool, local_only: bool, reject: bool, seed: u64,
    ) {
        let function = FunctionMeasurements { here, local_only, ..FunctionMeasurements::default() };
        let peers: Vec<_> = rtts.into_iter()
            .map(|rtt| PeerMeasurements { rtt: rtt.map(Duration::from_millis), ..knows(&[FIGLET]) }).collect();
        let measured = measured(function, &peers);
        let options = Options { random_reject: reject, ..Options::default() };
        let plan = plan(name, &options, &measured, &mut Dice(seed));
        let parts = plan.shares.parts();
        prop_assert_eq!(parts.iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
        prop_assert!(parts.len() <= MAX_TARGETS);
        prop_assert!(!local_only || plan.shares == Shares::all(Target::Local));
    }
}
