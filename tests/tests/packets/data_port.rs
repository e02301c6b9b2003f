//! Invocations that come from peers.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, DATA, FIGLET, LISTEN, PASS, PEERS, REDIRECT, USER};
use crate::segment::{End, Segment};
use crate::story::{ANSWER, REQUEST, syn_options};

const PEER: End = (PEERS[0], 20_007);

fn accepted() -> Bench {
    let mut bench = Bench::new();
    let syn = Segment::new(PEER, DATA, SYN).numbers(100, 0).options(&syn_options(1));
    let outcome = bench.ingress(&syn);
    assert_eq!(outcome.verdict, PASS);
    assert_eq!(
        (outcome.segment().from, outcome.segment().to),
        (PEER, LISTEN),
        "delivered to the gateway's port"
    );
    bench
}

#[test]
fn a_peers_connection_is_delivered_to_the_gateway_and_answered_from_the_data_port() {
    let mut bench = accepted();
    let syn_ack =
        bench.egress(Segment::new(LISTEN, PEER, SYN | ACK).numbers(500, 101).options(&syn_options(2)));
    assert_eq!((syn_ack.verdict, syn_ack.segment().from), (PASS, DATA));
    let request =
        bench.ingress(&Segment::new(PEER, DATA, ACK | PSH).numbers(101, 501).payload(REQUEST)).segment();
    assert_eq!((request.to, request.payload.as_slice()), (LISTEN, REQUEST));
    assert_eq!((request.sequence, request.acknowledgment), (101, 501), "numbers stay as they are");
    let answer = bench.egress(Segment::new(LISTEN, PEER, ACK).numbers(501, 101).payload(ANSWER)).segment();
    assert_eq!((answer.from, answer.payload.as_slice()), (DATA, ANSWER));
    assert_eq!(bench.invocations(), [((FIGLET, 0, 1), 1)].into(), "counted as a peer's");
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
    bench.egress(Segment::new(LISTEN, PEER, FIN | ACK).numbers(600, 101));
    assert!(bench.bound().is_empty());
}

#[test]
fn a_forwarded_invocation_is_never_forwarded_again() {
    let mut bench = accepted();
    bench.plan(&[(2, 65_536)], |_| {});
    let request =
        bench.ingress(&Segment::new(PEER, DATA, ACK | PSH).numbers(101, 501).payload(REQUEST)).segment();
    assert_eq!(request.to, LISTEN);
}

#[test]
fn strangers_get_a_reset_whatever_they_send() {
    let mut bench = Bench::new();
    for segment in [
        Segment::new(USER, DATA, SYN).numbers(9, 0),
        Segment::new(USER, DATA, ACK).numbers(9, 77).payload(REQUEST),
        Segment::new(USER, DATA, FIN).numbers(9, 0),
    ] {
        let outcome = bench.ingress(&segment);
        assert_eq!(outcome.verdict, REDIRECT);
        assert_eq!(outcome.segment().flags & RST, RST, "{:?}", outcome.segment());
        assert_eq!((outcome.segment().from, outcome.segment().to), (DATA, USER));
    }
    assert_eq!((bench.live(), bench.drops()), (0, [("stranger", 3)].into()));
}

#[test]
fn a_reset_of_a_stranger_is_not_answered() {
    let mut bench = Bench::new();
    assert_eq!(bench.ingress(&Segment::new(USER, DATA, RST).numbers(9, 0)).verdict, crate::bench::DROP);
}

#[test]
fn data_of_a_peer_on_a_connection_that_is_not_known_gets_a_reset() {
    let mut bench = Bench::new();
    let outcome = bench.ingress(&Segment::new(PEER, DATA, ACK).numbers(9, 77).payload(REQUEST));
    assert_eq!((outcome.segment().flags, outcome.segment().sequence), (RST, 77));
    assert_eq!(bench.drops(), [("unknown_from_peer", 1)].into());
}

#[test]
fn a_port_that_the_peer_uses_again_without_having_closed_is_a_new_connection_too() {
    let mut bench = accepted();
    bench.ingress(&Segment::new(PEER, DATA, ACK | PSH).numbers(101, 501).payload(REQUEST));
    let syn = Segment::new(PEER, DATA, SYN).numbers(7_000, 0).options(&syn_options(9));
    for _ in 0..2 {
        assert_eq!(bench.ingress(&syn).segment().to, LISTEN, "the SYN, and its retransmission");
    }
    bench.ingress(&Segment::new(PEER, DATA, ACK | PSH).numbers(7_001, 801).payload(REQUEST));
    assert_eq!(bench.invocations(), [((FIGLET, 0, 1), 2)].into());
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
}

#[test]
fn a_port_that_the_peer_uses_again_is_a_new_connection() {
    let mut bench = accepted();
    bench.ingress(&Segment::new(PEER, DATA, ACK | PSH).numbers(101, 501).payload(REQUEST));
    bench.egress(Segment::new(LISTEN, PEER, FIN | ACK).numbers(600, 101));
    bench.ingress(&Segment::new(PEER, DATA, FIN | ACK).numbers(200, 601));
    let syn = bench.ingress(&Segment::new(PEER, DATA, SYN).numbers(7_000, 0).options(&syn_options(9)));
    assert_eq!((syn.verdict, syn.segment().to), (PASS, LISTEN));
    bench.ingress(&Segment::new(PEER, DATA, ACK | PSH).numbers(7_001, 801).payload(REQUEST));
    assert_eq!(bench.invocations(), [((FIGLET, 0, 1), 2)].into());
    assert_eq!(bench.live(), 1);
}
