//! Plans and limits.

use std::collections::BTreeMap;

use dfaas_common::plan::mode;

use crate::bench::{Bench, FIGLET, now};
use crate::story::{Backend, REQUEST, send, whom};
use crate::world::World;

#[test]
fn smooth_draws_keep_each_target_within_two_of_its_share() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(0, 16_384), (1, 16_384), (2, 32_768)], |plan| plan.mode = mode::SMOOTH);
    let mut counts = BTreeMap::new();
    for port in 0..40 {
        *counts.entry(whom(&send(&mut bench, 41_000 + port))).or_insert(0i32) += 1;
    }
    for (target, share) in [("local", 10), ("peer 1", 10), ("peer 2", 20)] {
        assert!((counts[target] - share).abs() <= 2, "{counts:?}");
    }
    assert_eq!(bench.draws(), 40);
}

#[test]
fn random_draws_give_each_target_its_share_within_chance() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(0, 13_107), (1, 20_972), (2, 31_457)], |plan| plan.mode = mode::SHARE);
    let mut counts = BTreeMap::new();
    for port in 0..2_000 {
        *counts.entry(whom(&send(&mut bench, 10_000 + port))).or_insert(0.0_f64) += 1.0;
        if port % 50 == 49 {
            bench.age(std::time::Duration::from_secs(30));
            bench.sweep();
        }
    }
    let chi_square: f64 = [("local", 0.2), ("peer 1", 0.32), ("peer 2", 0.48)]
        .map(|(target, share): (_, f64)| (counts[target] - 2_000.0 * share).powi(2) / (2_000.0 * share))
        .iter()
        .sum();
    // Two degrees of freedom: more than this comes by chance once in twenty thousand runs.
    assert!(chi_square < 19.8, "{chi_square}: {counts:?}");
    assert!(chi_square > 0.0, "exact shares are not random: {counts:?}");
}

#[test]
fn a_plan_that_has_expired_leaves_everything_to_the_gateway() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], |plan| plan.expires = now() - 1_000_000_000);
    assert_eq!(whom(&send(&mut bench, 40_000)), "local");
    assert_eq!(bench.events()["plan_expired"], 1);
}

#[test]
fn above_the_local_rate_the_peers_of_the_plan_help_and_without_any_it_is_429() {
    let mut bench = Bench::new(World::V4);
    let two_a_second = |plan: &mut dfaas_common::plan::Plan| plan.local_interval = 500_000_000;
    bench.plan(&[(0, 65_535), (1, 1)], two_a_second);
    let to: Vec<_> = (0..4).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(to, ["local", "local", "peer 1", "peer 1"]);
    bench.plan(&[(0, 65_536)], two_a_second);
    assert_eq!(whom(&send(&mut bench, 42_000)), "429");
    assert_eq!(bench.invocations(), [((FIGLET, 0xffff, 0), 1)].into());
}

#[test]
fn above_the_local_inflight_limit_it_is_429_until_a_connection_ends() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(0, 65_536)], |plan| plan.local_inflight = 2);
    let first = Backend::accepting(send(&mut bench, 41_000));
    bench.egress(first.syn_ack());
    assert_eq!(whom(&send(&mut bench, 41_001)), "local");
    assert_eq!(whom(&send(&mut bench, 41_002)), "429");
    bench.egress(first.fin(0, REQUEST.len() as u32));
    assert_eq!(whom(&send(&mut bench, 41_003)), "local");
    assert_eq!(bench.bound(), [((FIGLET, 0), 2)].into());
}

#[test]
fn a_peer_without_a_route_is_passed_over_for_another_and_then_for_the_gateway() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 32_768), (2, 32_768)], |_| {});
    bench.unroute(1);
    for port in 0..8 {
        assert_eq!(whom(&send(&mut bench, 41_000 + port)), "peer 2");
    }
    bench.unroute(2);
    assert_eq!(whom(&send(&mut bench, 42_000)), "local");
}

#[test]
fn a_share_to_reject_is_answered_503() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(0xffff, 65_536)], |_| {});
    assert_eq!(whom(&send(&mut bench, 40_000)), "503");
}

#[test]
fn programs_that_are_handed_on_remember_nothing_of_earlier_tests() {
    for _ in 0..2 {
        let mut bench = Bench::new(World::V4);
        assert!(bench.flows().is_empty() && bench.live() == 0 && bench.draws() == 0);
        assert!(bench.events().is_empty() && bench.drops().is_empty() && bench.outcomes(1).is_empty());
        assert!(bench.invocations().is_empty() && bench.bound().is_empty() && bench.first_bytes().is_empty());
        assert_eq!(whom(&send(&mut bench, 40_000)), "local", "there is no plan");
        bench.plan(&[(1, 65_536)], |plan| plan.limit(1, 1_000_000_000_000));
        let peer = Backend::accepting(send(&mut bench, 40_001));
        assert_eq!(whom(&peer.syn), "peer 1", "and its limit is not spent");
        assert_eq!(peer.syn.from.1, 20_000, "by the first of the source ports");
        bench.ingress(&peer.refusal());
        assert_eq!(whom(&send(&mut bench, 40_002)), "429");
    }
}

#[test]
fn the_programs_load_with_their_log_on_as_well() {
    let object = dfaas_userspace::dataplane::Object::load(None, crate::bench::FLOWS, true);
    assert!(object.is_ok(), "{}", object.err().map_or_else(String::new, |e| e.to_string()));
}

#[test]
fn the_verifier_walks_far_fewer_instructions_than_its_limit() {
    let bench = Bench::new(World::V4);
    for (program, count) in bench.verified() {
        println!("{program}: {count} instructions verified");
        assert!(count < 250_000, "{program}: {count} of the 1,000,000 that the kernel allows");
    }
}
