//! Limits of what a function may send to each peer.

use std::collections::BTreeMap;

use dfaas_common::bucket::NEVER;
use dfaas_common::plan::mode;

use crate::bench::{Bench, FIGLET, QRCODE};
use crate::story::{Backend, Client, REQUEST, send, whom};
use crate::world::World;

/// One invocation, and the next after a thousand seconds.
const ONE: u64 = 1_000_000_000_000;
const HALVES: [(u32, u32); 2] = [(1, 32_768), (2, 32_768)];

fn counted(bench: &mut Bench, ports: std::ops::Range<u16>) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    for port in ports {
        *counts.entry(whom(&send(bench, port))).or_insert(0) += 1;
    }
    counts
}

#[test]
fn a_peer_whose_limit_is_spent_is_passed_over() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&HALVES, |plan| {
        plan.mode = mode::SMOOTH;
        plan.limit(1, ONE);
    });
    assert_eq!(counted(&mut bench, 41_000..41_020), [("peer 1", 1), ("peer 2", 19)].into());
    assert!(bench.events()["peer_spent"] >= 5, "{:?}", bench.events());
    assert_eq!(bench.draws(), 20, "one draw each, however often it was drawn again");
}

#[test]
fn when_all_limits_are_spent_it_is_429_and_the_gateway_gets_nothing_that_was_not_planned_for_it() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&HALVES, |plan| {
        plan.limit(1, ONE);
        plan.limit(2, ONE);
    });
    assert_eq!(counted(&mut bench, 41_000..41_005), [("429", 3), ("peer 1", 1), ("peer 2", 1)].into());
    assert_eq!(bench.bound(), [((FIGLET, 1), 1), ((FIGLET, 2), 1)].into());
}

#[test]
fn a_spent_limit_beside_a_peer_out_of_reach_is_429_and_out_of_reach_alone_goes_home() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&HALVES, |plan| plan.limit(2, NEVER));
    bench.unroute(1);
    assert_eq!(whom(&send(&mut bench, 41_000)), "429");
    bench.plan(&HALVES, |_| {});
    bench.unroute(2);
    assert_eq!(whom(&send(&mut bench, 41_001)), "local");
}

#[test]
fn a_peer_out_of_reach_loses_nothing_of_its_limit() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], |plan| plan.limit(1, ONE));
    bench.unroute(1);
    assert_eq!(whom(&send(&mut bench, 41_000)), "local");
    bench.peer(1, |peer| peer.interface = 1);
    assert_eq!(whom(&send(&mut bench, 41_001)), "peer 1");
}

#[test]
fn a_new_plan_gives_nothing_back_and_a_raised_limit_holds_at_once() {
    let mut bench = Bench::new(World::V4);
    for (port, to) in [(41_000, "peer 1"), (41_001, "429")] {
        bench.plan(&[(1, 65_536)], |plan| plan.limit(1, ONE));
        assert_eq!(whom(&send(&mut bench, port)), to);
    }
    // Ten in ten seconds: the thousand seconds that the slow limit left are not waited for.
    bench.plan(&[(1, 65_536)], |plan| plan.limit(1, 10_000_000_000));
    assert_eq!(whom(&send(&mut bench, 41_002)), "peer 1");
    assert_eq!(whom(&send(&mut bench, 41_003)), "429");
}

#[test]
fn each_function_has_limits_of_its_own() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], |plan| plan.limit(1, ONE));
    bench.plan_of(QRCODE, &[(1, 65_536)], |plan| plan.limit(1, ONE));
    let request = b"GET /function/qrcode HTTP/1.1\r\n\r\n";
    let qrcode = |bench: &mut Bench, port| {
        let client = Client::new(bench.world, port).connect(bench);
        whom(&client.request(bench, request).segment())
    };
    assert_eq!([whom(&send(&mut bench, 41_000)), qrcode(&mut bench, 41_001)], ["peer 1"; 2]);
    assert_eq!([whom(&send(&mut bench, 41_002)), qrcode(&mut bench, 41_003)], ["429"; 2]);
}

#[test]
fn the_other_targets_keep_their_proportions_when_a_peer_is_spent() {
    let mut bench = Bench::new(World::V4);
    // The same point drawn again among the rest would give the gateway four fifths of what the peer cannot take.
    bench.plan(&[(1, 32_768), (0, 13_107), (2, 19_661)], |plan| {
        plan.mode = mode::SMOOTH;
        plan.limit(1, NEVER);
    });
    let mut counts = BTreeMap::from([("local", 0.0_f64), ("peer 2", 0.0)]);
    for port in 0..2_000 {
        *counts.get_mut(whom(&send(&mut bench, 10_000 + port))).expect("one of the two") += 1.0;
        if port % 50 == 49 {
            bench.age(std::time::Duration::from_secs(30));
            bench.sweep();
        }
    }
    let chi_square: f64 = [("local", 0.4), ("peer 2", 0.6)]
        .map(|(target, share): (_, f64)| (counts[target] - 2_000.0 * share).powi(2) / (2_000.0 * share))
        .iter()
        .sum();
    // One degree of freedom, and half of the draws are even: more than this comes less than once in ten thousand runs.
    assert!(chi_square < 15.1, "{chi_square}: {counts:?}");
}

#[test]
fn after_a_refusal_the_gateway_is_the_last_resort_within_its_limits() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&HALVES, |plan| {
        plan.limit(2, NEVER);
        plan.local_inflight = 1;
    });
    for (port, to) in [(41_000, "local"), (41_001, "429")] {
        let peer = Backend::accepting(send(&mut bench, port));
        assert_eq!(peer.syn.to.0, bench.world.peers()[0]);
        assert_eq!(whom(&bench.ingress(&peer.refusal()).segment()), to);
    }

    // So it is after two refusals.
    bench.plan(&HALVES, |plan| plan.local_inflight = 1);
    let first = Backend::accepting(send(&mut bench, 41_002));
    let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
    assert_ne!((second.syn.to.0, second.syn.to), (first.syn.to.0, bench.world.listen()));
    assert_eq!(whom(&bench.ingress(&second.refusal()).segment()), "429");
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
}

#[test]
fn a_refused_connection_has_used_its_share_of_the_limit() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], |plan| plan.limit(1, ONE));
    let client = Client::new(bench.world, 41_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    assert_eq!(whom(&bench.ingress(&peer.refusal()).segment()), "local");
    assert_eq!(whom(&send(&mut bench, 41_001)), "429");
}
