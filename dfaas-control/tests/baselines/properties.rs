//! Whatever is measured and said, plans are plans: the host checks each.

use std::time::Duration;

use dfaas_control::{
    Action, FunctionId, FunctionMeasurements, MarginWord, Message, NodeId, PeerFunctions, PeerMeasurements,
    ProbeWord, Reply,
};
use proptest::prelude::*;

use crate::host::Host;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.0..200.0_f64, 1 => proptest::num::f64::ANY]
}

fn time() -> impl Strategy<Value = Option<Duration>> {
    proptest::option::of(prop_oneof![
        (0_u64..10_000_000).prop_map(Duration::from_micros),
        any::<u64>().prop_map(Duration::from_secs)
    ])
}

prop_compose! {
    fn function()(
        here: bool, local_only in proptest::bool::weighted(0.2), inflight in prop_oneof![0_u64..50, any::<u64>()],
        (user_rate, peer_rate, reject_rate) in (number(), number(), number()),
        max_rate in proptest::option::of(number()), completion_rate in proptest::option::of(number()),
        (service_time, first_byte, cpu_time) in (time(), time(), time()),
        max_inflight in proptest::option::of(any::<u32>()),
    ) -> FunctionMeasurements {
        FunctionMeasurements {
            here, local_only, user_rate, peer_rate, reject_rate, inflight, completion_rate, service_time, first_byte,
            cpu_time, max_rate, max_inflight, ..FunctionMeasurements::default()
        }
    }
}

prop_compose! {
    fn peer()(share in number(), ids in proptest::option::of(proptest::collection::btree_set(0_u64..4, 0..4)),
              rtt in time(), sent_rate in number(), refusal_rate in number()) -> PeerMeasurements {
        let functions = match ids {
            None => PeerFunctions::Unknown,
            Some(ids) => PeerFunctions::Known(ids.into_iter().map(FunctionId).collect()),
        };
        PeerMeasurements { share, functions, rtt, sent_rate, refusal_rate, ..PeerMeasurements::default() }
    }
}

fn message() -> impl Strategy<Value = Message> {
    let margin = (any::<f32>(), proptest::collection::vec((0_u64..6, any::<f32>()), 0..8));
    prop_oneof![
        margin.prop_map(|(margin, costs)| {
            let costs = costs.into_iter().map(|(id, cost)| (FunctionId(id), cost)).collect();
            Message::Margin(MarginWord { margin, costs })
        }),
        (0.0..100.0_f32).prop_map(|margin| Message::Margin(MarginWord { margin, costs: Vec::new() })),
        (any::<u32>(), 0_u32..20, any::<u32>(), any::<u32>()).prop_map(
            |(question, answer, inflight, wait)| {
                Message::Probe(ProbeWord { question, answer, inflight, wait })
            }
        ),
        Just(Message::Recalc(Vec::new())),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let peers = || proptest::collection::btree_map((0_u64..30).prop_map(NodeId), number(), 0..25);
    prop_oneof![
        (number(), number(), peers()).prop_map(|(local, reject, peers)| Action { local, reject, peers }),
        (0.0..1.0_f64, 0.0..1.0_f64, peers()).prop_map(|(local, reject, peers)| {
            let weigh = |part: &f64| if part.is_finite() { part.abs().min(1e3) } else { 0.0 };
            let sum = local + reject + peers.values().map(weigh).sum::<f64>();
            let peers = peers.iter().map(|(id, part)| (*id, weigh(part) / sum)).collect();
            Action { local: local / sum, reject: reject / sum, peers }
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_is_measured_said_and_answered_plans_are_whole_and_name_only_who_serves(
        name in prop_oneof![Just("nodemargin"), Just("p2c"), Just("external")],
        rounds in proptest::collection::vec(
            (proptest::collection::btree_map((0_u64..4).prop_map(FunctionId), function(), 0..4),
             proptest::collection::btree_map((2_u64..30).prop_map(NodeId), peer(), 0..24),
             (proptest::option::of(number()), proptest::option::of(number()), any::<Option<u64>>(), any::<Option<u64>>()),
             proptest::collection::vec((0_u64..30, message()), 0..6),
             proptest::collection::btree_map((0_u64..4).prop_map(FunctionId), action(), 0..4)), 1..6)
    ) {
        let mut host = Host::new(name, &[], &[]);
        for (functions, peers, (cores, cpu, free, total), messages, actions) in rounds {
            host.measured.functions = functions;
            host.measured.peers = peers;
            host.measured.node = dfaas_control::NodeMeasurements {
                cores, cpu, memory_free: free, memory_total: total,
            };
            host.tick();
            let asked = host.asked.clone();
            for (from, message) in messages {
                host.hear(from, &message);
            }
            if let Some((id, _)) = asked {
                host.reply(id, Ok(Reply::Action(actions)));
            }
        }
    }
}
