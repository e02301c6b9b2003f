//! Invocations that come from peers.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, DROP, FIGLET, PASS, REDIRECT};
use crate::segment::{End, Segment};
use crate::story::{ANSWER, REQUEST, syn_options};
use crate::world::{World, in_both_families};

in_both_families!(
    a_peers_connection_is_delivered_to_the_gateway_and_answered_from_the_data_port,
    a_forwarded_invocation_is_never_forwarded_again,
    strangers_get_a_reset_whatever_they_send,
    a_reset_of_a_stranger_is_not_answered,
    data_of_a_peer_on_a_connection_that_is_not_known_gets_a_reset,
    a_port_that_the_peer_uses_again_without_having_closed_is_a_new_connection_too,
    a_port_that_the_peer_uses_again_is_a_new_connection,
);

const fn peer(world: World) -> End {
    (world.peers()[0], 20_007)
}

fn from_peer(world: World, flags: u8) -> Segment {
    Segment::new(peer(world), world.data(), flags)
}

fn from_gateway(world: World, flags: u8) -> Segment {
    Segment::new(world.gateway(), peer(world), flags)
}

fn accepted(world: World) -> Bench {
    let mut bench = Bench::new(world);
    let syn = from_peer(world, SYN).numbers(100, 0).options(&syn_options(1));
    let outcome = bench.ingress(&syn);
    assert_eq!(outcome.verdict, PASS);
    assert_eq!(
        (outcome.segment().from, outcome.segment().to),
        (peer(world), world.gateway()),
        "delivered to the gateway's port"
    );
    bench
}

fn a_peers_connection_is_delivered_to_the_gateway_and_answered_from_the_data_port(world: World) {
    let mut bench = accepted(world);
    let syn_ack = bench.egress(from_gateway(world, SYN | ACK).numbers(500, 101).options(&syn_options(2)));
    assert_eq!((syn_ack.verdict, syn_ack.segment().from), (PASS, world.data()));
    let request = bench.ingress(&from_peer(world, ACK | PSH).numbers(101, 501).payload(REQUEST)).segment();
    assert_eq!((request.to, request.payload.as_slice()), (world.gateway(), REQUEST));
    assert_eq!((request.sequence, request.acknowledgment), (101, 501), "numbers stay as they are");
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
    let answer = bench.egress(from_gateway(world, ACK).numbers(501, 101).payload(ANSWER)).segment();
    assert_eq!((answer.from, answer.payload.as_slice()), (world.data(), ANSWER));
    assert_eq!(bench.invocations(), [((FIGLET, 0, 1), 1)].into(), "counted as a peer's");
    assert!(bench.bound().is_empty(), "with its answer the invocation is over");
    bench.egress(from_gateway(world, FIN | ACK).numbers(600, 101));
    assert_eq!(bench.bound_of_peer(1), 0, "and with its end the connection");
}

fn a_forwarded_invocation_is_never_forwarded_again(world: World) {
    let mut bench = accepted(world);
    bench.plan(&[(2, 65_536)], |_| {});
    let request = bench.ingress(&from_peer(world, ACK | PSH).numbers(101, 501).payload(REQUEST)).segment();
    assert_eq!(request.to, world.gateway());
}

fn strangers_get_a_reset_whatever_they_send(world: World) {
    let stranger = world.user();
    let mut bench = Bench::new(world);
    for segment in [
        Segment::new(stranger, world.data(), SYN).numbers(9, 0),
        Segment::new(stranger, world.data(), ACK).numbers(9, 77).payload(REQUEST),
        Segment::new(stranger, world.data(), FIN).numbers(9, 0),
    ] {
        let outcome = bench.ingress(&segment);
        assert_eq!(outcome.verdict, REDIRECT);
        assert_eq!(outcome.segment().flags & RST, RST, "{:?}", outcome.segment());
        assert_eq!((outcome.segment().from, outcome.segment().to), (world.data(), stranger));
    }
    assert_eq!((bench.live(), bench.drops()), (0, [("stranger", 3)].into()));
}

fn a_reset_of_a_stranger_is_not_answered(world: World) {
    let stranger = world.user();
    let mut bench = Bench::new(world);
    assert_eq!(bench.ingress(&Segment::new(stranger, world.data(), RST).numbers(9, 0)).verdict, DROP);
}

fn data_of_a_peer_on_a_connection_that_is_not_known_gets_a_reset(world: World) {
    let mut bench = Bench::new(world);
    let outcome = bench.ingress(&from_peer(world, ACK).numbers(9, 77).payload(REQUEST));
    assert_eq!((outcome.segment().flags, outcome.segment().sequence), (RST, 77));
    assert_eq!(bench.drops(), [("unknown_from_peer", 1)].into());
}

fn a_port_that_the_peer_uses_again_without_having_closed_is_a_new_connection_too(world: World) {
    let mut bench = accepted(world);
    bench.ingress(&from_peer(world, ACK | PSH).numbers(101, 501).payload(REQUEST));
    let syn = from_peer(world, SYN).numbers(7_000, 0).options(&syn_options(9));
    for _ in 0..2 {
        assert_eq!(bench.ingress(&syn).segment().to, world.gateway(), "the SYN, and its retransmission");
    }
    bench.ingress(&from_peer(world, ACK | PSH).numbers(7_001, 801).payload(REQUEST));
    assert_eq!(bench.invocations(), [((FIGLET, 0, 1), 2)].into());
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
}

fn a_port_that_the_peer_uses_again_is_a_new_connection(world: World) {
    let mut bench = accepted(world);
    bench.ingress(&from_peer(world, ACK | PSH).numbers(101, 501).payload(REQUEST));
    bench.egress(from_gateway(world, FIN | ACK).numbers(600, 101));
    bench.ingress(&from_peer(world, FIN | ACK).numbers(200, 601));
    let syn = bench.ingress(&from_peer(world, SYN).numbers(7_000, 0).options(&syn_options(9)));
    assert_eq!((syn.verdict, syn.segment().to), (PASS, world.gateway()));
    bench.ingress(&from_peer(world, ACK | PSH).numbers(7_001, 801).payload(REQUEST));
    assert_eq!(bench.invocations(), [((FIGLET, 0, 1), 2)].into());
    assert_eq!(bench.live(), 1);
}
