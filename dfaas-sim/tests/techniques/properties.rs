//! Whatever is measured and said, plans are plans.

use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_control::{
    FunctionId, FunctionMeasurements, MAX_TARGETS, NodeId, NodeMeasurements, PeerFunctions, PeerMeasurements,
    SHARE_ONE, Target,
};
use dfaas_sim::techniques::{AuctionWord, FunctionState, Offer, PowerWord, StateWord, TECHNIQUES, Word};
use proptest::prelude::*;

use crate::host::{Host, function};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..200.0_f64, 1 => proptest::num::f64::ANY]
}

fn function_id() -> impl Strategy<Value = FunctionId> {
    (0_u64..4).prop_map(FunctionId)
}

fn time() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of(prop_oneof![
        (0_u64..10_000_000).prop_map(Duration::from_micros),
        any::<u64>().prop_map(Duration::from_secs)
    ])
}

prop_compose! {
    fn any_function()(
        here: bool, local_only in proptest::bool::weighted(0.2), user_rate in number(), peer_rate in number(),
        max_rate in proptest::option::of(number()), completion_rate in proptest::option::of(number()),
        (service_time, cpu_time) in (time(), time()), max_inflight in proptest::option::of(any::<u32>()),
    ) -> FunctionMeasurements {
        FunctionMeasurements {
            here, local_only, user_rate, peer_rate, max_rate, completion_rate, service_time, cpu_time, max_inflight,
            ..FunctionMeasurements::default()
        }
    }
}

prop_compose! {
    fn any_state()(
        function in function_id(), replicas: u32, overloaded: bool,
        max_rate in proptest::option::of(number()),
        (rate, time, margin, cpu) in (number(), number(), number(), number()),
    ) -> FunctionState {
        FunctionState { function, replicas, rate, max_rate, time, margin, cpu, overloaded }
    }
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let offer = (function_id(), number(), number());
    let offer = offer.prop_map(|(function, rate, price)| Offer { function, rate, price });
    proptest::collection::vec(offer, 0..4)
}

fn any_word() -> impl Strategy<Value = Word> {
    let state = (number(), number(), number(), any::<u64>(), proptest::collection::vec(any_state(), 0..4));
    let state = state.prop_map(|(cores, cpu, memory, memory_free, functions)| {
        Word::State(StateWord { cores, cpu, memory, memory_free, functions })
    });
    let power = (number(), proptest::collection::vec((function_id(), number()), 0..4));
    prop_oneof![
        state,
        power.prop_map(|(margin, costs)| Word::Power(PowerWord { margin, costs })),
        (offers(), offers(), offers(), offers()).prop_map(|(offers, kept, bids, sold)| {
            Word::Auction(AuctionWord { offers, kept, bids, sold })
        }),
    ]
}

fn any_peer() -> impl Strategy<Value = PeerMeasurements> {
    let functions = proptest::option::of(proptest::collection::btree_set(function_id(), 0..4));
    (functions, time()).prop_map(|(functions, rtt)| PeerMeasurements {
        functions: functions.map_or(PeerFunctions::Unknown, PeerFunctions::Known),
        rtt,
        ..PeerMeasurements::default()
    })
}

/// What every plan must be.
fn check(host: &Host) {
    let plan = host.plan.as_ref().expect("it has ticked");
    let planned: BTreeSet<_> = plan.functions.keys().collect();
    assert_eq!(planned, host.measured.functions.keys().collect::<BTreeSet<_>>());
    for (id, plan) in plan.functions.iter() {
        let (measured, parts) = (&host.measured.functions[id], plan.shares.parts());
        assert_eq!(parts.iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
        assert!(parts.len() <= MAX_TARGETS, "{plan:?}");
        for (target, _) in parts {
            let Target::Peer(node) = target else { continue };
            assert!(!measured.local_only, "{id:?} must stay here");
            assert!(host.measured.peers[node].serves(*id, measured.here), "{node:?} has no {id:?}");
        }
        let rates = [plan.local_rate, plan.peers_rate];
        let rates = rates.into_iter().flatten().chain(plan.peer_rate.values().copied());
        rates.for_each(|rate| assert!(rate.is_finite() && rate >= 0.0, "{plan:?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_measured_and_said_a_plan_comes_of_it(
        name in proptest::sample::select(TECHNIQUES),
        functions in proptest::collection::btree_map(function_id(), any_function(), 0..4),
        peers in proptest::collection::btree_map((2_u64..30).prop_map(NodeId), any_peer(), 0..25),
        node in (proptest::option::of(number()), proptest::option::of(number()), proptest::option::of(any::<u64>())),
        words in proptest::collection::vec((2_u64..30, any_word()), 0..30),
        draws in proptest::collection::vec(0.0..1.0_f64, 0..30),
    ) {
        let mut host = Host::new(name, function(0.0, 1.0), 0);
        host.script.0 = draws.into();
        (host.measured.functions, host.measured.peers) = (functions, peers);
        let (cores, cpu, memory_free) = node;
        host.measured.node = NodeMeasurements { cores, cpu, memory_free, memory_total: Some(1 << 30) };
        for some in words.chunks(10) {
            host.tick();
            check(&host);
            some.iter().for_each(|(from, word)| host.hear(*from, word));
        }
        host.tick();
        check(&host);
    }
}
