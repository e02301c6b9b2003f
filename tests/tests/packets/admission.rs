//! What is taken from peers.

use std::time::Duration;

use dfaas_common::bucket::NEVER;
use dfaas_common::count::LOCAL;
use dfaas_common::flow::mark;
use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, FIGLET, Outcome, PASS, REDIRECT};
use crate::overflow::MILLI;
use crate::segment::{End, Segment};
use crate::story::{ANSWER, Backend, REQUEST, send, syn_options, whom};
use crate::world::{Family, World, in_both_families};

in_both_families!(
    a_peer_without_limits_is_always_let_in,
    above_its_rate_a_peers_connections_are_reset_at_once,
    the_syn_of_an_admitted_connection_sent_again_takes_nothing_more,
    a_drained_node_takes_nothing,
    a_peer_is_refused_while_it_would_wait_here_too_long,
    a_refusal_for_want_of_a_place_takes_nothing_from_the_rate,
    a_port_that_is_used_again_is_a_new_connection_that_takes_over_the_place_of_the_old,
    a_port_that_is_used_again_above_the_rate_is_refused_and_the_old_connection_goes_on,
    who_is_no_peer_any_more_cannot_use_its_old_ports_again,
    a_full_flow_table_leaves_no_place_taken,
);

const ONE_SECOND: u64 = 1_000_000_000;

/// A SYN of the first peer.
fn syn(bench: &mut Bench, port: u16, sequence: u32) -> Outcome {
    syn_from(bench, (bench.world.peers()[0], port), sequence)
}

fn syn_from(bench: &mut Bench, from: End, sequence: u32) -> Outcome {
    bench.ingress(&Segment::new(from, bench.world.data(), SYN).numbers(sequence, 0).options(&syn_options(1)))
}

fn accepted(outcome: &Outcome) {
    assert_eq!(outcome.verdict, PASS, "not let in: {:?}", outcome.segment());
    let to = outcome.segment().to;
    assert_eq!(to, Family::of(to.0).listen());
}

/// Refused by a reset that the sender believes.
fn denied(outcome: &Outcome, sequence: u32) {
    assert_eq!(outcome.verdict, REDIRECT, "let in: {:?}", outcome.segment());
    let reset = outcome.segment();
    let data = Family::of(reset.from.0).data();
    assert_eq!((reset.from, reset.flags), (data, RST | ACK));
    assert_eq!(reset.acknowledgment, sequence + 1);
}

/// A bench that takes `burst` connections at once from the first peer, and the next after a thousand seconds.
fn by_rate(world: World, burst: u64) -> Bench {
    let mut bench = Bench::new(world);
    bench.peer(1, |peer| {
        peer.interval = 1000 * ONE_SECOND;
        peer.tolerance = burst * 1000 * ONE_SECOND;
    });
    bench
}

/// A bench that takes this many connections at one time from the first peer.
fn by_inflight(world: World, inflight: u32) -> Bench {
    let mut bench = Bench::new(world);
    bench.peer(1, |peer| peer.inflight = inflight);
    bench
}

fn from_peer(world: World, port: u16, flags: u8, sequence: u32) -> Segment {
    Segment::new((world.peers()[0], port), world.data(), flags).numbers(sequence, 501)
}

fn from_gateway(world: World, port: u16, flags: u8) -> Segment {
    Segment::new(world.gateway(), (world.peers()[0], port), flags).numbers(501, 101)
}

fn a_peer_without_limits_is_always_let_in(world: World) {
    let mut bench = Bench::new(world);
    for port in 0..40 {
        accepted(&syn(&mut bench, 20_000 + port, 100));
    }
    assert_eq!((bench.outcomes(1), bench.bound_of_peer(1)), ([("accepted", 40)].into(), 40));
}

fn above_its_rate_a_peers_connections_are_reset_at_once(world: World) {
    let mut bench = by_rate(world, 2);
    accepted(&syn(&mut bench, 20_000, 100));
    accepted(&syn(&mut bench, 20_001, 100));
    denied(&syn(&mut bench, 20_002, 100), 100);
    assert_eq!(bench.outcomes(1), [("accepted", 2), ("denied", 1)].into());
    assert_eq!((bench.drops(), bench.live()), ([("denied", 1)].into(), 2));

    // A new entry of the peer, as after a change of routes, fills no bucket.
    bench.peer(1, |peer| peer.interface = 2);
    denied(&syn(&mut bench, 20_003, 100), 100);
    // Another peer has limits of its own: none.
    accepted(&syn_from(&mut bench, (world.peers()[1], 20_000), 100));
    assert_eq!((bench.outcomes(2), bench.bound_of_peer(2)), ([("accepted", 1)].into(), 1));
}

fn the_syn_of_an_admitted_connection_sent_again_takes_nothing_more(world: World) {
    let mut bench = by_rate(world, 2);
    for _ in 0..4 {
        accepted(&syn(&mut bench, 20_000, 100));
    }
    accepted(&syn(&mut bench, 20_001, 100));
    denied(&syn(&mut bench, 20_002, 100), 100);
    assert_eq!((bench.outcomes(1)["accepted"], bench.bound_of_peer(1)), (2, 2));
}

fn a_drained_node_takes_nothing(world: World) {
    let mut bench = Bench::new(world);
    bench.peer(1, |peer| peer.interval = NEVER);
    denied(&syn(&mut bench, 20_000, 100), 100);
    assert_eq!((bench.live(), bench.bound_of_peer(1)), (0, 0));
}

fn a_peer_is_refused_while_it_would_wait_here_too_long(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(LOCAL, 65_536)], |plan| plan.work = 10 * MILLI);
    bench.peer(1, |peer| (peer.wait, peer.inflight) = (15 * MILLI, 1));
    bench.says(LOCAL, 0);
    let first = Backend::accepting(send(&mut bench, 41_000));
    bench.egress(first.syn_ack());
    assert_eq!(whom(&send(&mut bench, 41_001)), "local");
    denied(&syn(&mut bench, 20_000, 100), 100);
    assert_eq!(bench.bound_of_peer(1), 0, "it takes no place");
    assert_eq!((bench.outcomes(1), bench.drops()["denied"]), ([("denied", 1)].into(), 1));
    // Another peer has no such limit.
    accepted(&syn_from(&mut bench, (world.peers()[1], 20_000), 100));
    bench.egress(first.fin(0, REQUEST.len() as u32));
    accepted(&syn(&mut bench, 20_001, 100));
}

type Ending = (&'static str, fn(&mut Bench));

/// How a connection on port 20,000 can end.
const ENDINGS: [Ending; 6] = [
    ("the gateway closes", |bench| drop(bench.egress(from_gateway(bench.world, 20_000, FIN | ACK)))),
    ("the peer closes", |bench| drop(bench.ingress(&from_peer(bench.world, 20_000, FIN | ACK, 101)))),
    ("the gateway resets", |bench| drop(bench.egress(from_gateway(bench.world, 20_000, RST | ACK)))),
    ("the peer resets", |bench| drop(bench.ingress(&from_peer(bench.world, 20_000, RST, 101)))),
    ("both close and reset", |bench| {
        bench.egress(from_gateway(bench.world, 20_000, FIN | ACK));
        bench.ingress(&from_peer(bench.world, 20_000, FIN | ACK, 101));
        bench.ingress(&from_peer(bench.world, 20_000, RST, 101));
        bench.egress(from_gateway(bench.world, 20_000, RST));
    }),
    ("the sweep finds it in its place", |bench| {
        // As when both fall silent, which would take two hours since the machine was started.
        bench.mark_flows(mark::BACKEND_FIN);
        bench.age(Duration::from_secs(61));
        bench.sweep();
    }),
];

#[test]
fn a_place_is_free_again_however_a_connection_ends_and_only_once() {
    let world = World::V4;
    for (ending, end) in ENDINGS {
        for with_request in [false, true] {
            let mut bench = by_inflight(world, 1);
            accepted(&syn(&mut bench, 20_000, 100));
            if with_request {
                bench.ingress(&from_peer(world, 20_000, ACK | PSH, 101).payload(REQUEST));
            }
            denied(&syn(&mut bench, 20_001, 100), 100);
            end(&mut bench);
            assert_eq!((bench.bound_of_peer(1), bench.bound().len()), (0, 0), "{ending}");
            accepted(&syn(&mut bench, 20_002, 100));
            denied(&syn(&mut bench, 20_003, 100), 100);
            assert_eq!(bench.outcomes(1), [("accepted", 2), ("denied", 2)].into(), "{ending}");

            // The sweep of what has ended gives nothing back a second time.
            bench.age(Duration::from_secs(241));
            bench.sweep();
            assert_eq!((bench.bound_of_peer(1), bench.live()), (1, 1), "{ending}");
        }
    }
}

fn a_refusal_for_want_of_a_place_takes_nothing_from_the_rate(world: World) {
    let mut bench = by_rate(world, 2);
    bench.peer(1, |peer| peer.inflight = 1);
    accepted(&syn(&mut bench, 20_000, 100));
    for port in 20_001..20_005 {
        denied(&syn(&mut bench, port, 100), 100);
    }
    bench.ingress(&from_peer(world, 20_000, RST, 101));
    accepted(&syn(&mut bench, 20_001, 100));
    bench.ingress(&from_peer(world, 20_001, RST, 101));
    denied(&syn(&mut bench, 20_002, 100), 100);
    assert_eq!(bench.bound_of_peer(1), 0, "a refusal by the rate holds no place");
}

fn a_port_that_is_used_again_is_a_new_connection_that_takes_over_the_place_of_the_old(world: World) {
    let mut bench = by_inflight(world, 1);
    accepted(&syn(&mut bench, 20_000, 100));
    bench.ingress(&from_peer(world, 20_000, ACK | PSH, 101).payload(REQUEST));
    for _ in 0..2 {
        accepted(&syn(&mut bench, 20_000, 7_000));
    }
    assert_eq!((bench.outcomes(1), bench.bound_of_peer(1)), ([("accepted", 2)].into(), 1));
    assert_eq!(bench.bound(), [((0, 0), 1)].into());
    bench.ingress(&from_peer(world, 20_000, RST, 7_001));
    assert_eq!((bench.bound_of_peer(1), bench.bound().len()), (0, 0));

    // Once the old one is over its place may be another's.
    accepted(&syn(&mut bench, 20_001, 100));
    denied(&syn(&mut bench, 20_000, 9_000), 9_000);
    assert_eq!(bench.bound_of_peer(1), 1);
}

fn a_port_that_is_used_again_above_the_rate_is_refused_and_the_old_connection_goes_on(world: World) {
    let mut bench = by_rate(world, 1);
    accepted(&syn(&mut bench, 20_000, 100));
    bench.ingress(&from_peer(world, 20_000, ACK | PSH, 101).payload(REQUEST));
    denied(&syn(&mut bench, 20_000, 7_000), 7_000);
    assert_eq!(bench.outcomes(1), [("accepted", 1), ("denied", 1)].into());
    assert_eq!((bench.bound_of_peer(1), bench.bound()), (1, [((FIGLET, 0), 1)].into()));

    let answer = bench.egress(from_gateway(world, 20_000, ACK).payload(ANSWER));
    assert_eq!((answer.segment().from, answer.segment().payload.as_slice()), (world.data(), ANSWER));
    bench.egress(from_gateway(world, 20_000, FIN | ACK));
    assert_eq!((bench.bound_of_peer(1), bench.bound().len()), (0, 0));
}

fn who_is_no_peer_any_more_cannot_use_its_old_ports_again(world: World) {
    let mut bench = Bench::new(world);
    accepted(&syn(&mut bench, 20_000, 100));
    bench.forget_peer(world.peers()[0]);
    let request = bench.ingress(&from_peer(world, 20_000, ACK | PSH, 101).payload(REQUEST));
    assert_eq!(request.segment().to, world.gateway(), "what it was let in for goes on");
    denied(&syn(&mut bench, 20_000, 7_000), 7_000);
    assert_eq!(bench.drops(), [("stranger", 1)].into());
    bench.ingress(&from_peer(world, 20_000, RST, 101));
    assert_eq!(bench.bound_of_peer(1), 0);
}

fn a_full_flow_table_leaves_no_place_taken(world: World) {
    let mut bench = Bench::new(world);
    for port in 0..crate::bench::FLOWS as u16 {
        accepted(&syn(&mut bench, 20_000 + port, 100));
    }
    denied(&syn(&mut bench, 30_000, 100), 100);
    assert_eq!(bench.drops(), [("flow_table_full", 1)].into());
    assert_eq!(bench.bound_of_peer(1), u64::from(crate::bench::FLOWS));
}
