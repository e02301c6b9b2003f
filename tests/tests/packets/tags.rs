//! VLAN tags in the data of frames: those of a client are on what goes to it and on nothing that goes elsewhere.
//!
//! What the programs put outermost lies beside the data, where `BPF_PROG_TEST_RUN` shows it as little as it can give
//! it: here the flow tells of it.

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, FIGLET, PASS, REDIRECT};
use crate::segment::{NODE, OUTSIDE, Segment, Tag};
use crate::story::{ANSWER, Backend, Client, REQUEST, syn_options};
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    of_a_connection_to_a_peer_the_tags_are_on_the_clients_side_alone,
    tags_of_a_peers_frames_do_not_reach_a_client_that_has_none,
    a_refusal_sends_a_tagged_request_to_another_peer_and_then_home_with_its_tags,
);
in_both_families!(
    a_syn_is_answered_with_its_own_tags,
    the_gateway_gets_a_connection_with_its_tags,
    an_answer_of_the_node_has_the_tags_of_the_request,
    three_tags_are_left_to_the_host,
    a_peers_frames_keep_their_tags_on_the_way_to_the_gateway,
);

const ONE: &[Tag] = &[Tag::vlan(7)];
const TWO: &[Tag] = &[Tag::service(100), Tag::vlan(7)];
/// As some switches have it: both of one type, and the inner one for its priority alone.
const ALIKE: &[Tag] = &[Tag::vlan(100), Tag::vlan(0)];

/// Tags as flows keep them.
fn kept(tags: &[Tag]) -> [u32; 2] {
    let word = |tag: &Tag| u32::from(tag.kind.to_be()) << 16 | u32::from(tag.control);
    [tags.first().map_or(0, word), tags.get(1).map_or(0, word)]
}

fn a_syn_is_answered_with_its_own_tags(world: World) {
    let mut bench = Bench::new(world);
    for tags in [ONE, TWO, ALIKE] {
        let syn = Segment::new(world.user(), world.listen(), SYN).options(&syn_options(500)).tagged(tags);
        let outcome = bench.ingress(&syn);
        assert_eq!(outcome.verdict, REDIRECT);
        let answer = outcome.segment();
        assert_eq!((answer.tags.as_slice(), answer.hardware), (tags, (NODE, OUTSIDE)));
        assert_eq!((answer.from, answer.to, answer.flags), (world.listen(), world.user(), SYN | ACK));
    }
}

fn of_a_connection_to_a_peer_the_tags_are_on_the_clients_side_alone(world: World) {
    for tags in [ONE, TWO, ALIKE] {
        let mut bench = Bench::new(world);
        bench.plan(&[(1, 65_536)], |_| {});
        let client = Client::new(world, 40_000).tagged(tags).connect(&mut bench);
        let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
        assert_eq!((peer.syn.to, peer.syn.tags.as_slice()), (world.data_of(1), [].as_slice()));
        assert_eq!(bench.flows()[0].tags, kept(tags));
        let request = bench.ingress(&peer.syn_ack()).segment();
        assert_eq!((request.tags.as_slice(), request.payload.as_slice()), ([].as_slice(), REQUEST));

        let (sent, got) = (ANSWER.len() as u32, REQUEST.len() as u32);
        let outcome = bench.ingress(&peer.segment(ACK | PSH, 0, got).payload(ANSWER));
        assert_eq!(outcome.verdict, REDIRECT);
        let answer = outcome.segment();
        assert_eq!(answer.tags, tags[1..], "the outermost lies beside the data");
        assert_eq!((answer.to, answer.payload.as_slice()), (client.end, ANSWER));
        let ack = bench.ingress(&client.segment(ACK, got, sent)).segment();
        assert_eq!((ack.to, ack.tags.as_slice()), (world.data_of(1), [].as_slice()));
        assert_eq!(bench.ingress(&peer.fin(sent, got)).segment().tags, tags[1..]);
    }
}

fn tags_of_a_peers_frames_do_not_reach_a_client_that_has_none(world: World) {
    for tags in [ONE, TWO, ALIKE] {
        let mut bench = Bench::new(world);
        bench.plan(&[(1, 65_536)], |_| {});
        let client = Client::new(world, 40_000).connect(&mut bench);
        let mut peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
        peer.syn.tags = tags.to_vec();
        let request = bench.ingress(&peer.syn_ack()).segment();
        assert_eq!((request.tags.as_slice(), request.payload.as_slice()), ([].as_slice(), REQUEST));
        let answer = bench.ingress(&peer.segment(ACK, 0, REQUEST.len() as u32).payload(ANSWER)).segment();
        assert_eq!((answer.tags.as_slice(), answer.payload.as_slice()), ([].as_slice(), ANSWER));
    }
}

fn the_gateway_gets_a_connection_with_its_tags(world: World) {
    for tags in [ONE, TWO, ALIKE] {
        let mut bench = Bench::new(world);
        let client = Client::new(world, 40_000).tagged(tags).connect(&mut bench);
        let outcome = client.request(&mut bench, REQUEST);
        assert_eq!(outcome.verdict, PASS);
        let gateway = Backend::accepting(outcome.segment());
        assert_eq!((gateway.syn.to, gateway.syn.tags.as_slice()), (world.listen(), tags));
        let request = bench.egress(gateway.syn_ack()).segment();
        assert_eq!((request.tags.as_slice(), request.payload.as_slice()), (tags, REQUEST));
        let (sent, got) = (ANSWER.len() as u32, REQUEST.len() as u32);
        let answer = bench.egress(gateway.segment(ACK | PSH, 0, got).payload(ANSWER));
        assert_eq!((answer.verdict, answer.segment().tags.as_slice()), (PASS, tags));
        assert_eq!(answer.segment().payload, ANSWER);
        let ack = bench.ingress(&client.segment(ACK, got, sent));
        assert_eq!((ack.verdict, ack.segment().tags.as_slice()), (PASS, tags));
    }
}

fn an_answer_of_the_node_has_the_tags_of_the_request(world: World) {
    for tags in [ONE, TWO, ALIKE] {
        let mut bench = Bench::new(world);
        bench.plan(&[(0xffff, 65_536)], |_| {});
        let client = Client::new(world, 40_000).tagged(tags).connect(&mut bench);
        let answer = client.request(&mut bench, REQUEST).segment();
        assert!(answer.text().starts_with("HTTP/1.1 503 "), "{answer:?}");
        assert_eq!((answer.tags.as_slice(), answer.to), (tags, client.end));
        let (sent, got) = (REQUEST.len() as u32, answer.payload.len() as u32 + 1);
        let last = bench.ingress(&client.segment(FIN | ACK, sent, got)).segment();
        assert_eq!((last.tags.as_slice(), last.flags), (tags, ACK));
    }
}

fn a_refusal_sends_a_tagged_request_to_another_peer_and_then_home_with_its_tags(world: World) {
    for tags in [ONE, TWO] {
        let mut bench = Bench::new(world);
        bench.plan(&[(1, 32_768), (2, 32_768)], |_| {});
        let client = Client::new(world, 40_000).tagged(tags).connect(&mut bench);
        let first = Backend::accepting(client.request(&mut bench, REQUEST).segment());
        let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
        assert!(world.peers().contains(&second.syn.to.0) && second.syn.tags.is_empty(), "{:?}", second.syn);
        let mut home = bench.ingress(&second.refusal()).segment();
        assert_eq!((home.to, home.tags.as_slice()), (world.listen(), &tags[1..]));
        home.tags = tags.to_vec();
        let gateway = Backend::accepting(home);
        let request = bench.egress(gateway.syn_ack()).segment();
        assert_eq!((request.tags.as_slice(), request.payload.as_slice()), (tags, REQUEST));
        assert_eq!(bench.invocations(), [((FIGLET, 0, 0), 1)].into());
    }
}

fn three_tags_are_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    let three = [Tag::service(100), Tag::vlan(7), Tag::vlan(8)];
    let syn = Segment::new(world.user(), world.listen(), SYN).tagged(&three);
    bench.ingress(&syn).passed_untouched();
    assert!(bench.events().is_empty());
}

fn a_peers_frames_keep_their_tags_on_the_way_to_the_gateway(world: World) {
    for tags in [ONE, TWO, ALIKE] {
        let mut bench = Bench::new(world);
        let peer = (world.peers()[0], 20_007);
        let syn = Segment::new(peer, world.data(), SYN).options(&syn_options(1)).tagged(tags);
        let outcome = bench.ingress(&syn);
        assert_eq!((outcome.verdict, outcome.segment().to), (PASS, world.gateway()));
        assert_eq!(outcome.segment().tags, tags);
        let answer = Segment::new(world.gateway(), peer, SYN | ACK).numbers(500, 1).tagged(tags);
        let outcome = bench.egress(answer);
        assert_eq!((outcome.verdict, outcome.segment().from), (PASS, world.data()));
        assert_eq!(outcome.segment().tags, tags);

        let stranger = Segment::new(world.user(), world.data(), SYN).tagged(tags);
        let reset = bench.ingress(&stranger).segment();
        assert_eq!((reset.flags, reset.tags.as_slice()), (RST | ACK, tags));
    }
}
