//! Bytes behind the packet: a short frame is filled up on the wire, and what fills it is no data.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, DROP, FIGLET, Outcome, PASS, REDIRECT};
use crate::frame::padded;
use crate::segment::Segment;
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_whole_connection_to_a_peer_has_no_padding_in_its_data,
    what_is_saved_and_appended_has_no_padding_in_it,
);
in_both_families!(
    a_single_byte_is_what_the_gateway_gets_of_it,
    an_answer_of_the_node_takes_the_place_of_a_padded_request,
    a_peers_short_segments_reach_the_gateway_as_they_are,
);

fn ingress(bench: &mut Bench, segment: &Segment) -> Outcome {
    bench.ingress_bytes(&padded(segment.bytes()))
}

/// What is built in the place of a padded frame has nothing behind it.
fn built(outcome: &Outcome) -> Segment {
    let segment = outcome.segment();
    assert_eq!(outcome.frame.len(), segment.length(), "{segment:?}");
    segment
}

fn a_whole_connection_to_a_peer_has_no_padding_in_its_data(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let mut client = Client::new(world, 40_000);
    let syn = Segment::new(client.end, world.listen(), SYN).numbers(client.isn, 0);
    client.cookie = built(&ingress(&mut bench, &syn)).sequence;
    let client_segment = |flags, sent, got| client.segment(flags, sent, got).options(&[]);
    assert_eq!(ingress(&mut bench, &client_segment(ACK, 0, 0)).verdict, DROP);
    let first = client_segment(ACK | PSH, 0, 0).payload(REQUEST);
    let peer = Backend::accepting(built(&ingress(&mut bench, &first)));
    let peer_segment = |flags, sent, got| peer.segment(flags, sent, got).options(&[]);
    let syn_ack = peer.syn_ack().options(&[]);
    assert_eq!(built(&ingress(&mut bench, &syn_ack)).payload, REQUEST);

    let got = REQUEST.len() as u32;
    for (sent, text) in [(0, &b"HTTP"[..]), (4, b"/"), (5, b"1.1"), (8, b"")] {
        let seen = ingress(&mut bench, &peer_segment(ACK, sent, got).payload(text)).segment();
        assert_eq!((seen.to, seen.payload.as_slice()), (client.end, text));
        assert_eq!(seen.sequence, client.cookie.wrapping_add(1 + sent));
        let ack = client_segment(ACK, got, sent + text.len() as u32);
        let seen = ingress(&mut bench, &ack).segment();
        assert_eq!((seen.to, seen.payload.len()), (world.data_of(1), 0));
        assert_eq!(seen.acknowledgment, peer.isn.wrapping_add(1 + sent + text.len() as u32));
    }
    assert_eq!(ingress(&mut bench, &peer_segment(FIN | ACK, 8, got)).segment().flags, FIN | ACK);
    assert_eq!(ingress(&mut bench, &client_segment(RST, got, 0)).segment().flags, RST);
    assert_eq!(bench.flows()[0].client_next, client.isn + 1 + got, "padding moves no number");
}

fn what_is_saved_and_appended_has_no_padding_in_it(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 32_768), (2, 32_768)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let first = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    let peer = Backend::accepting(built(&ingress(&mut bench, &first)));
    let rest = client.segment(ACK | PSH, REQUEST.len() as u32, 0).options(&[]).payload(b"abc");
    assert_eq!(ingress(&mut bench, &rest).verdict, DROP);
    // A reset is 54 bytes long over IPv4.
    let peer = Backend::accepting(built(&ingress(&mut bench, &peer.refusal())));
    let request = built(&ingress(&mut bench, &peer.syn_ack()));
    assert_eq!(request.payload, [REQUEST, b"abc"].concat());
}

fn a_single_byte_is_what_the_gateway_gets_of_it(world: World) {
    let mut bench = Bench::new(world);
    let mut client = Client::new(world, 40_000);
    let syn = Segment::new(client.end, world.listen(), SYN).numbers(client.isn, 0);
    client.cookie = built(&ingress(&mut bench, &syn)).sequence;
    let first = client.segment(ACK | PSH, 0, 0).options(&[]).payload(b"P");
    let gateway = Backend::accepting(built(&ingress(&mut bench, &first)));
    let syn_ack = padded(gateway.syn_ack().options(&[]).outgoing().bytes());
    assert_eq!(built(&bench.egress_bytes(&syn_ack)).payload, b"P");
}

fn an_answer_of_the_node_takes_the_place_of_a_padded_request(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(0xffff, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let first = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    let answer = built(&ingress(&mut bench, &first));
    assert!(answer.text().starts_with("HTTP/1.1 503 ") && answer.text().ends_with('}'), "{answer:?}");
    let (sent, got) = (REQUEST.len() as u32, answer.payload.len() as u32 + 1);
    let bare = client.segment(ACK, sent, got).options(&[]);
    assert_eq!(ingress(&mut bench, &bare).verdict, DROP, "padding is no rest of a body");
    let fin = client.segment(FIN | ACK, sent, got).options(&[]);
    let last = built(&ingress(&mut bench, &fin));
    assert_eq!((last.flags, last.acknowledgment), (ACK, client.isn + 1 + sent + 1));
}

fn a_peers_short_segments_reach_the_gateway_as_they_are(world: World) {
    let mut bench = Bench::new(world);
    let peer = (world.peers()[0], 20_007);
    let from_peer = |flags, sequence| Segment::new(peer, world.data(), flags).numbers(sequence, 501);
    assert_eq!(ingress(&mut bench, &from_peer(SYN, 100)).verdict, PASS);
    assert_eq!(ingress(&mut bench, &from_peer(ACK, 101)).segment().payload, b"");
    assert!(bench.invocations().is_empty(), "padding is no request");
    let request = ingress(&mut bench, &from_peer(ACK | PSH, 101).payload(REQUEST)).segment();
    assert_eq!((request.to, request.payload.as_slice()), (world.gateway(), REQUEST));
    let ack = padded(Segment::new(world.gateway(), peer, ACK).numbers(501, 200).outgoing().bytes());
    assert_eq!(bench.egress_bytes(&ack).segment().from, world.data());
    assert!(bench.first_bytes().is_empty(), "padding is no answer");
    let answer = Segment::new(world.gateway(), peer, ACK).numbers(501, 200).payload(ANSWER);
    bench.egress(answer);
    assert_eq!(bench.first_bytes().keys().collect::<Vec<_>>(), [&(FIGLET, 0)]);

    let stranger = Segment::new(world.user(), world.data(), SYN).numbers(9, 0);
    let outcome = ingress(&mut bench, &stranger);
    assert_eq!((outcome.verdict, built(&outcome).acknowledgment), (REDIRECT, 10));
}
