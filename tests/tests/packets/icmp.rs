//! ICMP errors about packets that the node has sent in somebody's name: whoever has sent them is told.

use dfaas_common::config::setting;
use dfaas_common::flow::state;
use dfaas_common::translate::flag::{ACK, PSH, SYN};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::bench::{Bench, DROP, PASS, REDIRECT};
use crate::error::{Error, error, message, no_host, router, too_big};
use crate::segment::Segment;
use crate::story::{ANSWER, Backend, Client, REQUEST, syn_options};
use crate::world::{Family, World, in_both_families, in_every_world};

in_every_world!(
    a_client_is_told_in_its_own_numbers_what_a_router_says_of_its_segment,
    what_is_behind_an_inserted_line_is_quoted_as_the_client_has_sent_it,
    a_peer_is_told_in_its_own_numbers_what_a_router_says_of_its_answer,
    an_error_about_what_is_not_under_way_is_ignored,
    no_error_ends_an_established_connection,
    a_peer_that_a_router_cannot_reach_is_passed_over_at_once,
    an_error_that_does_not_quote_our_syn_is_not_believed,
    random_messages_neither_end_nor_disturb_a_connection,
);
in_both_families!(
    the_own_gateway_is_told_in_its_own_numbers_what_a_router_says_of_its_answer,
    the_own_gateway_is_told_of_its_answers_to_peers,
    errors_of_other_connections_pass_untouched,
    a_damaged_error_is_left_to_the_host,
);

/// What errors quote at least of what is behind the IP header.
const LEAST: usize = 8;
/// A link further on.
const MTU: u32 = 1_400;

/// By how much an IP header of `a` is longer than one of `b`.
fn longer(a: Family, b: Family) -> i32 {
    let header = |family| if family == Family::V4 { 20 } else { 40 };
    header(a) - header(b)
}

/// The MTU that is told in one family of a link in another.
fn seen_from(mtu: u32, family: Family, link: Family) -> u32 {
    mtu.strict_add_signed(longer(family, link))
}

/// A connection to the first peer, whose request has arrived there.
fn spliced(bench: &mut Bench) -> (Client, Backend) {
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(bench.world, 40_000).connect(bench);
    let peer = Backend::accepting(client.request(bench, REQUEST).segment());
    assert_eq!(bench.ingress(&peer.syn_ack()).verdict, REDIRECT);
    (client, peer)
}

/// What the client is told of the segment at hand, which it has sent.
fn told_to_client(world: World, segment: &Segment, kind: (u8, u8), mtu: u32) -> Error {
    Error {
        from: world.listen().0,
        to: segment.from.0,
        kind,
        mtu,
        ends: (segment.from, segment.to),
        sequence: segment.sequence,
        length: segment.tcp_length(),
    }
}

fn a_client_is_told_in_its_own_numbers_what_a_router_says_of_its_segment(world: World) {
    let mut bench = Bench::new(world);
    let (client, _) = spliced(&mut bench);
    let body = client.segment(ACK, REQUEST.len() as u32, 0).payload(&[7; 1_403]);
    let seen = bench.ingress(&body).segment();
    assert_eq!(seen.to, world.data_of(1));
    for quoted in [LEAST, 32, 1_000] {
        let (there, here) = (world.nodes, world.users);
        let outcome = bench.ingress_bytes(&error(&seen, too_big(there), MTU, quoted));
        assert_eq!(outcome.verdict, REDIRECT);
        let told = Error::read(&outcome.frame);
        assert_eq!(told, told_to_client(world, &body, too_big(here), seen_from(MTU, here, there)));
        assert_eq!(outcome.frame[..12], client.syn().outgoing().bytes()[..12], "the way its packets came");

        let outcome = bench.ingress_bytes(&error(&seen, no_host(there), 0, quoted));
        assert_eq!(Error::read(&outcome.frame), told_to_client(world, &body, no_host(here), 0));
    }
    assert_eq!(bench.events()["icmp_translated"], 6);
}

fn what_is_behind_an_inserted_line_is_quoted_as_the_client_has_sent_it(world: World) {
    let mut bench = Bench::new(world);
    bench.configure(|config| config.settings = setting::FORWARDED_FOR);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    let first = bench.ingress(&peer.syn_ack()).segment();
    let line = first.payload.len() - REQUEST.len();
    assert!(line > 0, "{}", first.text());
    let (there, here) = (world.nodes, world.users);

    // The segment with the line was longer than what the client has sent.
    let told = Error::read(&bench.ingress_bytes(&error(&first, too_big(there), MTU, LEAST)).frame);
    let sent = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    let mtu = seen_from(MTU, here, there) - line as u32;
    assert_eq!(told, told_to_client(world, &sent, too_big(here), mtu));

    let body = client.segment(ACK, REQUEST.len() as u32, 0).payload(&[7; 900]);
    let seen = bench.ingress(&body).segment();
    assert_eq!(seen.sequence, body.sequence + line as u32);
    let told = Error::read(&bench.ingress_bytes(&error(&seen, too_big(there), MTU, LEAST)).frame);
    assert_eq!(told, told_to_client(world, &body, too_big(here), seen_from(MTU, here, there)));
}

fn a_peer_is_told_in_its_own_numbers_what_a_router_says_of_its_answer(world: World) {
    let mut bench = Bench::new(world);
    let (_, peer) = spliced(&mut bench);
    let answer = peer.segment(ACK | PSH, 0, REQUEST.len() as u32).payload(ANSWER);
    let seen = bench.ingress(&answer).segment();
    let (there, here) = (world.users, world.nodes);
    let outcome = bench.ingress_bytes(&error(&seen, too_big(there), MTU, LEAST));
    assert_eq!(outcome.verdict, REDIRECT);
    let told = Error {
        from: world.data().0,
        to: answer.from.0,
        kind: too_big(here),
        mtu: seen_from(MTU, here, there),
        ends: (answer.from, answer.to),
        sequence: answer.sequence,
        length: answer.tcp_length(),
    };
    assert_eq!(Error::read(&outcome.frame), told);
}

fn the_own_gateway_is_told_in_its_own_numbers_what_a_router_says_of_its_answer(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(0, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let gateway = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.egress(gateway.syn_ack());
    let answer = gateway.segment(ACK | PSH, 0, REQUEST.len() as u32).payload(ANSWER);
    let seen = bench.egress(answer.clone()).segment();
    assert_ne!(seen.sequence, answer.sequence);
    let family = world.users;
    let outcome = bench.ingress_bytes(&error(&seen, too_big(family), MTU, LEAST));
    assert_eq!(outcome.verdict, PASS, "its stack finds the socket by what is quoted");
    let told = Error::read(&outcome.frame);
    assert_eq!((told.kind, told.mtu, told.ends), (too_big(family), MTU, (answer.from, answer.to)));
    assert_eq!((told.sequence, told.to), (answer.sequence, world.listen().0));
}

fn the_own_gateway_is_told_of_its_answers_to_peers(world: World) {
    let mut bench = Bench::new(world);
    let peer = (world.peers()[0], 20_007);
    let syn = Segment::new(peer, world.data(), SYN).numbers(100, 0).options(&syn_options(1));
    assert_eq!(bench.ingress(&syn).verdict, PASS);
    let answer = Segment::new(world.gateway(), peer, ACK).numbers(501, 101).payload(ANSWER);
    let seen = bench.egress(answer.clone()).segment();
    assert_eq!(seen.from, world.data());
    let family = world.nodes;
    let outcome = bench.ingress_bytes(&error(&seen, too_big(family), MTU, LEAST));
    assert_eq!(outcome.verdict, PASS);
    let told = Error::read(&outcome.frame);
    assert_eq!((told.kind, told.mtu, told.ends), (too_big(family), MTU, (answer.from, answer.to)));
    assert_eq!((told.sequence, told.to), (501, world.gateway().0));
}

fn an_error_about_what_is_not_under_way_is_ignored(world: World) {
    let mut bench = Bench::new(world);
    let (client, peer) = spliced(&mut bench);
    let got = REQUEST.len() as u32;
    let seen = bench.ingress(&client.segment(ACK, got, 0).payload(&[7; 1_000])).segment();
    bench.ingress(&peer.segment(ACK, 0, got + 500));
    for (offset, verdict) in [(0u32, DROP), (499, DROP), (500, REDIRECT), (1_000, REDIRECT), (1_001, DROP)] {
        let mut quoted = seen.clone();
        quoted.sequence = seen.sequence + offset;
        let outcome = bench.ingress_bytes(&error(&quoted, too_big(world.nodes), MTU, LEAST));
        assert_eq!(outcome.verdict, verdict, "{offset} bytes behind");
    }
    assert_eq!((bench.drops()["icmp_ignored"], bench.events()["icmp_translated"]), (3, 2));
}

fn no_error_ends_an_established_connection(world: World) {
    let mut bench = Bench::new(world);
    let (client, peer) = spliced(&mut bench);
    let got = REQUEST.len() as u32;
    let seen = bench.ingress(&client.segment(ACK, got, 0).payload(b"more")).segment();
    for code in 0..16 {
        let kind = if world.nodes == Family::V4 { (3, code) } else { (1, code % 8) };
        bench.ingress_bytes(&error(&seen, kind, 0, LEAST));
    }
    assert!(bench.flows().iter().all(|flow| flow.state == state::ESTABLISHED && flow.marks & 4 == 0));
    let answer = peer.segment(ACK | PSH, 0, got).payload(ANSWER);
    assert_eq!(bench.ingress(&answer).segment().payload, ANSWER);
}

fn a_peer_that_a_router_cannot_reach_is_passed_over_at_once(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536), (2, 0)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let syn = client.request(&mut bench, REQUEST).segment();
    assert_eq!(syn.to, world.data_of(1));
    // That it is too big, or has gone in circles, need not be so the next time.
    bench.ingress_bytes(&error(&syn, too_big(world.nodes), MTU, LEAST)).passed_untouched();
    let outcome = bench.ingress_bytes(&error(&syn, no_host(world.nodes), 0, LEAST));
    let next = Backend::accepting(outcome.segment());
    assert_eq!(next.syn.to, world.listen(), "nobody else has a share");
    assert_eq!(bench.egress(next.syn_ack()).segment().payload, REQUEST, "with the same request");
    assert_eq!(bench.outcomes(1), [("refused", 1)].into());
    let events = bench.events();
    assert_eq!((events["icmp_refused"], events["retried"]), (1, 1));
    // Later errors about the same attempt mean nobody.
    bench.ingress_bytes(&error(&syn, no_host(world.nodes), 0, LEAST)).passed_untouched();
}

fn an_error_that_does_not_quote_our_syn_is_not_believed(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let syn = client.request(&mut bench, REQUEST).segment();
    let mut other = syn.clone();
    other.sequence += 1;
    assert_eq!(bench.ingress_bytes(&error(&other, no_host(world.nodes), 0, LEAST)).verdict, DROP);
    assert_eq!(bench.drops()["icmp_ignored"], 1);
    let peer = Backend::accepting(syn);
    assert_eq!(bench.ingress(&peer.syn_ack()).segment().payload, REQUEST);
}

fn errors_of_other_connections_pass_untouched(world: World) {
    let mut bench = Bench::new(world);
    spliced(&mut bench);
    let family = world.users;
    let other = Segment::new(world.listen(), (family.user(), 40_001), ACK).payload(ANSWER);
    for quoted in [0, 7, LEAST, 40] {
        for kind in [too_big(family), no_host(family), (0, 0)] {
            bench.ingress_bytes(&error(&other, kind, MTU, quoted)).passed_untouched();
        }
    }
    for quoted in [&b""[..], &[0x45; 28], &[0x60; 48], &[0; 1_200]] {
        let frame = message(router(family), family.node(), too_big(family), MTU, quoted);
        bench.ingress_bytes(&frame).passed_untouched();
    }
    assert!(!bench.drops().contains_key("icmp_ignored"));
}

fn a_damaged_error_is_left_to_the_host(world: World) {
    let mut bench = Bench::new(world);
    let (client, _) = spliced(&mut bench);
    let seen = bench.ingress(&client.segment(ACK, REQUEST.len() as u32, 0).payload(&[7; 900])).segment();
    let mut frame = error(&seen, too_big(world.nodes), MTU, 32);
    let last = frame.len() - 1;
    frame[last] ^= 1;
    bench.ingress_bytes(&frame).passed_untouched();
    frame[last] ^= 1;
    assert_eq!(bench.ingress_bytes(&frame).verdict, REDIRECT);
}

fn random_messages_neither_end_nor_disturb_a_connection(world: World) {
    let mut bench = Bench::new(world);
    let (client, peer) = spliced(&mut bench);
    let got = REQUEST.len() as u32;
    let seen = bench.ingress(&client.segment(ACK, got, 0).payload(&[7; 900])).segment();
    let before = bench.flows();
    let seed =
        std::env::var("DFAAS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>);
    println!("DFAAS_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    for _ in 0..10_000 {
        let kind = (random.random_range(0..14), random.random_range(0..17));
        let mut quoted = seen.clone();
        if random.random() {
            quoted.sequence = random.random();
        }
        let mut frame = error(&quoted, kind, random.random(), random.random_range(0..1_000));
        if random.random_ratio(1, 2) {
            let at = random.random_range(12..frame.len());
            frame[at] = random.random();
        }
        frame.truncate(frame.len() - random.random_range(0..3));
        bench.ingress_bytes(&frame);
    }
    assert_eq!(bench.flows(), before);
    assert_eq!(bench.live(), 1);
    let answer = peer.segment(ACK | PSH, 0, got).payload(ANSWER);
    assert_eq!(bench.ingress(&answer).segment().payload, ANSWER);
}
