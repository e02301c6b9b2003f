//! Plans that serve locally first.

use dfaas_common::bucket::NEVER;
use dfaas_common::plan::{Plan, flag, mode};

use crate::bench::{Bench, FIGLET};
use crate::story::{Backend, Client, REQUEST, send, whom};
use crate::world::World;

/// One invocation, and the next after a thousand seconds.
const ONE: u64 = 1_000_000_000_000;

/// Locally first, with this many connections at one time.
fn at_once(inflight: u32) -> impl FnOnce(&mut Plan) {
    move |plan| {
        (plan.flags, plan.mode) = (flag::LOCAL_FIRST, mode::SMOOTH);
        plan.local_inflight = inflight;
    }
}

#[test]
fn up_to_the_limit_everything_is_served_locally_and_only_the_rest_leaves() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], at_once(2));
    let first = send(&mut bench, 41_000);
    assert_eq!(whom(&first), "local");
    assert_eq!(whom(&send(&mut bench, 41_001)), "local");
    assert_eq!(bench.draws(), 0, "nothing was drawn for what stays here");
    assert_eq!(whom(&send(&mut bench, 41_002)), "peer 1");
    assert_eq!(bench.bound(), [((FIGLET, 0), 2), ((FIGLET, 1), 1)].into());

    // A connection that ends makes room.
    let gateway = Backend::accepting(first);
    bench.egress(gateway.syn_ack());
    bench.egress(gateway.fin(0, REQUEST.len() as u32));
    assert_eq!(whom(&send(&mut bench, 41_003)), "local");
    assert_eq!(whom(&send(&mut bench, 41_004)), "peer 1");
    assert_eq!(bench.draws(), 2);
}

#[test]
fn up_to_the_local_rate_everything_is_served_locally_and_only_the_rest_leaves() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(2, 65_536)], |plan| {
        plan.flags = flag::LOCAL_FIRST;
        plan.local_interval = ONE;
    });
    let to: Vec<_> = (0..3).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(to, ["local", "peer 2", "peer 2"]);
    assert_eq!(bench.bound(), [((FIGLET, 0), 1), ((FIGLET, 2), 2)].into());
}

#[test]
fn without_a_share_of_a_peer_what_is_above_the_limit_is_429() {
    for shares in [vec![(0, 65_536)], vec![]] {
        let mut bench = Bench::new(World::V4);
        bench.plan(&shares, at_once(1));
        assert_eq!(whom(&send(&mut bench, 41_000)), "local");
        assert_eq!(whom(&send(&mut bench, 41_001)), "429");
        assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
    }
}

#[test]
fn a_share_that_the_plan_rejects_is_503() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(0xffff, 65_536)], at_once(1));
    assert_eq!(whom(&send(&mut bench, 41_000)), "local");
    assert_eq!(whom(&send(&mut bench, 41_001)), "503");
}

#[test]
fn a_local_share_in_such_a_plan_is_not_tried_again_and_the_peers_keep_their_even_spacing() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 10_922), (0, 32_768), (2, 21_846)], |plan| {
        at_once(0)(plan);
        plan.local_interval = ONE;
    });
    assert_eq!(whom(&send(&mut bench, 20_000)), "local");
    let mut first = 0.0_f64;
    for n in 1..=600_u16 {
        match whom(&send(&mut bench, 20_000 + n)) {
            "peer 1" => first += 1.0,
            other => assert_eq!(other, "peer 2"),
        }
        // What the sequence gives; drawing the local half again at random would stray further.
        assert!((first - f64::from(n) / 3.0).abs() < 5.0, "{first} of {n}");
        if n % 50 == 0 {
            bench.age(std::time::Duration::from_secs(30));
            bench.sweep();
        }
    }
    assert_eq!(bench.draws(), 600);
}

#[test]
fn what_the_gateway_refuses_is_drawn_from_the_shares_like_what_its_limits_refuse() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], at_once(5));
    let gateway = Backend::accepting(send(&mut bench, 41_000));
    assert_eq!(gateway.syn.to, bench.world.listen());
    let peer = Backend::accepting(bench.egress(gateway.refusal()).segment());
    assert_eq!(peer.syn.to.0, bench.world.peers()[0]);
    assert_eq!((bench.draws(), bench.bound()), (1, [((FIGLET, 1), 1)].into()));

    // The gateway is down and the peer refuses as well: nobody accepts, and no limit has to do with it.
    assert_eq!(whom(&bench.ingress(&peer.refusal()).segment()), "503");
    assert!(bench.bound().is_empty());
}

#[test]
fn at_the_limit_a_peer_that_refuses_leaves_429_as_the_limit_stands_in_the_way() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], at_once(1));
    send(&mut bench, 41_000);
    let peer = Backend::accepting(send(&mut bench, 41_001));
    assert_eq!(peer.syn.to.0, bench.world.peers()[0]);
    assert_eq!(whom(&bench.ingress(&peer.refusal()).segment()), "429");
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
}

#[test]
fn at_the_limit_with_the_peers_limit_spent_it_is_429() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], |plan| {
        at_once(1)(plan);
        plan.limit(1, NEVER);
    });
    send(&mut bench, 41_000);
    assert_eq!(whom(&send(&mut bench, 41_001)), "429");
    assert_eq!(bench.events()["peer_spent"], 1);
}

#[test]
fn an_expired_plan_has_no_limit() {
    let mut bench = Bench::new(World::V4);
    bench.plan(&[(1, 65_536)], |plan| {
        at_once(1)(plan);
        plan.expires = 1;
    });
    for i in 0..3 {
        assert_eq!(whom(&send(&mut bench, 41_000 + i)), "local");
    }
    let client = Client::new(bench.world, 42_000).connect(&mut bench);
    let gateway = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    assert_eq!(whom(&bench.egress(gateway.refusal()).segment()), "503");
}
