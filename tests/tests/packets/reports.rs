//! Single invocations, reported through the ring buffer.

use std::time::Duration;

use dfaas_common::address::Endpoint;
use dfaas_common::config::Report;
use dfaas_common::count::{LOCAL, REJECT};
use dfaas_common::event::{End, InvocationEvent, RING_BYTES, Way};
use dfaas_common::flow::mark;
use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, FIGLET, address};
use crate::kept::{Kept, OfPeer, all_to};
use crate::segment::{End as Of, Segment};
use crate::story::{ANSWER, Backend, Client, REQUEST, send, syn_options, whom};
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    an_invocation_that_a_peer_answers_is_one_event_with_all_that_is_known_of_it,
    after_a_refusal_one_event_names_who_served_it_in_the_end,
    requests_of_a_kept_connection_are_told_one_by_one_with_how_they_got_where_they_went,
);

in_both_families!(
    an_invocation_that_stays_here_is_told_with_the_gateways_own_address,
    what_is_rejected_is_told_at_once_and_its_repetition_is_not,
    what_a_peer_sent_names_the_peer_and_the_gateway,
    requests_of_the_hosts_own_connections_are_told_as_native,
    whoever_ends_a_connection_before_its_answer_is_complete_is_told,
    a_client_that_has_closed_its_side_is_answered_before_anything_is_told,
    a_connection_that_falls_silent_is_told_when_it_is_swept,
    a_tuple_that_is_used_again_ends_what_was_under_way_on_it,
    what_is_not_understood_is_told_without_a_function_and_its_refusal_too,
);

/// A bench on which every invocation is reported.
fn following(world: World) -> Bench {
    let mut bench = Bench::new(world);
    bench.configure(|config| config.sample = 1);
    bench
}

/// The only event since the last look.
fn one(bench: &mut Bench) -> InvocationEvent {
    let reports = bench.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports[0]
}

fn at(end: Of) -> Endpoint {
    Endpoint { address: address(end.0), port: end.1.to_be(), padding: 0 }
}

fn client(event: &InvocationEvent) -> Endpoint {
    Endpoint { address: event.client.remote, port: event.client.remote_port, padding: 0 }
}

/// Backend, how it was chosen, how it ended, and the status.
fn told(event: &InvocationEvent) -> (u32, u32, u32, u32) {
    (event.backend, event.noted.way, event.noted.end, event.noted.status)
}

/// A peer that has accepted a user's request.
fn at_a_peer(bench: &mut Bench) -> (Client, Backend) {
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(bench.world, 40_000).connect(bench);
    let peer = Backend::accepting(client.request(bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    (client, peer)
}

const SENT: u32 = REQUEST.len() as u32;
const BYTES: [u64; 2] = [REQUEST.len() as u64, ANSWER.len() as u64];

fn an_invocation_that_a_peer_answers_is_one_event_with_all_that_is_known_of_it(world: World) {
    let mut bench = following(world);
    let (user, peer) = at_a_peer(&mut bench);
    assert!(bench.reports().is_empty(), "it is not over");
    bench.ingress(&peer.segment(ACK | PSH, 0, SENT).payload(&ANSWER[..ANSWER.len() - 1]));
    assert!(bench.reports().is_empty(), "its answer is not complete");
    bench.ingress(
        &peer.segment(ACK | PSH, ANSWER.len() as u32 - 1, SENT).payload(&ANSWER[ANSWER.len() - 1..]),
    );
    let event = one(&mut bench);
    assert_eq!(told(&event), (1, Way::First as u32, End::Answered as u32, 200));
    assert_eq!((event.function, event.peer, event.gateway, event.pinned()), (FIGLET, 0, 0, false));
    assert_eq!((client(&event), event.server()), (at(user.end), Some(at(world.data_of(1)))));
    assert_eq!((event.leg.local, event.leg.local_port), (address(peer.syn.from.0), peer.syn.from.1.to_be()));
    assert_eq!(event.bytes(), BYTES);
    let noted = &event.noted;
    assert!(
        0 < noted.asked && noted.asked <= noted.first_byte && noted.first_byte <= noted.over,
        "{noted:?}"
    );

    // Its end is nothing new.
    bench.ingress(&peer.fin(ANSWER.len() as u32, SENT));
    bench.ingress(&user.segment(FIN | ACK, SENT, ANSWER.len() as u32 + 1));
    bench.age(Duration::from_secs(6));
    bench.sweep();
    assert_eq!((bench.reports(), bench.live()), (Vec::new(), 0));
}

fn an_invocation_that_stays_here_is_told_with_the_gateways_own_address(world: World) {
    let mut bench = following(world);
    let gateway = Backend::accepting(send(&mut bench, 40_000));
    bench.egress(gateway.syn_ack());
    bench.egress(
        gateway.segment(ACK | PSH, 0, SENT).payload(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    );
    let event = one(&mut bench);
    assert_eq!(told(&event), (0, Way::First as u32, End::Answered as u32, 404));
    assert_eq!((client(&event), event.server()), (at((world.user().0, 40_000)), Some(at(world.listen()))));
    assert_ne!(event.noted.first_byte, 0, "an answer in one segment has a first byte too");
}

fn after_a_refusal_one_event_names_who_served_it_in_the_end(world: World) {
    let mut bench = following(world);
    bench.plan(&[(1, 65_535), (2, 1)], |plan| plan.mode = dfaas_common::plan::mode::SMOOTH);
    let first = Backend::accepting(send(&mut bench, 40_000));
    let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
    bench.ingress(&second.syn_ack());
    assert!(bench.reports().is_empty());
    bench.ingress(&second.segment(ACK | PSH, 0, SENT).payload(ANSWER));
    let event = one(&mut bench);
    assert_eq!(told(&event), (2, Way::Retried as u32, End::Answered as u32, 200));
    assert_eq!((event.server(), event.bytes()), (Some(at(world.data_of(2))), BYTES));
}

fn what_is_rejected_is_told_at_once_and_its_repetition_is_not(world: World) {
    for (spent, status) in [(false, 503), (true, 429)] {
        let mut bench = following(world);
        let target = if spent { 1 } else { REJECT };
        bench.plan(&[(target, 65_536)], |plan| {
            if spent {
                plan.limit(1, dfaas_common::bucket::NEVER);
            }
        });
        let client = Client::new(world, 40_000).connect(&mut bench);
        assert_eq!(whom(&client.request(&mut bench, REQUEST).segment()), status.to_string());
        let event = one(&mut bench);
        assert_eq!(told(&event), (REJECT, Way::First as u32, End::Rejected as u32, status));
        assert_eq!((event.server(), event.bytes(), event.noted.first_byte), (None, [0, 0], 0));
        bench.ingress(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
        bench.ingress(&client.segment(RST, SENT, 0));
        assert!(bench.reports().is_empty());
    }
}

fn requests_of_a_kept_connection_are_told_one_by_one_with_how_they_got_where_they_went(world: World) {
    let mut kept = Kept::open_with(following(world), 1, REQUEST);
    kept.answered();
    kept.stays(REQUEST);
    kept.answered();
    all_to(&mut kept.bench, 2);
    kept.move_to(REQUEST);
    kept.accept_carrying(REQUEST);
    kept.answered();
    all_to(&mut kept.bench, 0);
    kept.move_to(REQUEST);
    kept.accept_carrying(REQUEST);
    kept.answered();
    kept.stays(REQUEST);
    kept.answered();
    all_to(&mut kept.bench, REJECT);
    kept.ask(REQUEST);
    let events = kept.bench.reports();
    let ways: Vec<_> = events.iter().map(|event| (event.backend, event.noted.way)).collect();
    let [first, stayed, moved] = [Way::First, Way::Stayed, Way::Moved].map(|way| way as u32);
    assert_eq!(ways, [(1, first), (1, stayed), (2, moved), (0, moved), (0, stayed), (REJECT, first)]);
    let (last, answered) = events.split_last().expect("events");
    assert!(answered.iter().all(|event| (event.bytes(), event.noted.status) == (BYTES, 200)), "{events:?}");
    assert_eq!((last.noted.status, last.noted.end), (503, End::Rejected as u32));
    assert!(events.is_sorted_by_key(|event| event.noted.asked));
}

fn what_a_peer_sent_names_the_peer_and_the_gateway(world: World) {
    let mut kept = OfPeer::open(world);
    kept.bench.configure(|config| config.sample = 1);
    for way in [Way::First, Way::Stayed] {
        kept.ask(REQUEST);
        kept.answered();
        let event = one(&mut kept.bench);
        assert_eq!(told(&event), (0, way as u32, End::Answered as u32, 200));
        assert_eq!((event.peer, event.function), (1, FIGLET));
        assert_eq!((client(&event), event.server()), (at(kept.end), Some(at(world.gateway()))));
        assert_eq!(event.bytes(), BYTES);
    }
}

fn requests_of_the_hosts_own_connections_are_told_as_native(world: World) {
    let mut kept = Kept::native(world);
    kept.bench.configure(|config| (config.armed, config.sample) = (0, 1));
    all_to(&mut kept.bench, 1);
    for _ in 0..2 {
        kept.ask(REQUEST).passed_untouched();
        kept.answered();
        let event = one(&mut kept.bench);
        assert_eq!(told(&event), (0, Way::Native as u32, End::Answered as u32, 200));
        assert_eq!((event.server(), event.bytes()), (Some(at(world.listen())), BYTES));
    }
    kept.bench.configure(|config| config.sample = 1);
    kept.move_to(REQUEST);
    kept.accept_carrying(REQUEST);
    kept.answered();
    assert_eq!(told(&one(&mut kept.bench)), (1, Way::Moved as u32, End::Answered as u32, 200));
}

fn whoever_ends_a_connection_before_its_answer_is_complete_is_told(world: World) {
    type Ending = fn(&mut Bench, &Client, &Backend);
    let endings: [(End, Ending); 3] = [
        (End::Closed, |bench, _, peer| drop(bench.ingress(&peer.fin(0, SENT)))),
        (End::BackendReset, |bench, _, peer| drop(bench.ingress(&peer.segment(RST | ACK, 0, SENT)))),
        (End::ClientReset, |bench, client, _| drop(bench.ingress(&client.segment(RST, SENT, 0)))),
    ];
    for (end, happen) in endings {
        let mut bench = following(world);
        let (client, peer) = at_a_peer(&mut bench);
        happen(&mut bench, &client, &peer);
        happen(&mut bench, &client, &peer);
        let event = one(&mut bench);
        assert_eq!(told(&event), (1, Way::First as u32, end as u32, 0));
        assert_eq!((event.bytes(), event.noted.first_byte), ([BYTES[0], 0], 0));
    }
    // Before the backend has accepted.
    let mut bench = following(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&client.segment(RST, SENT, 0));
    bench.ingress(&peer.syn_ack());
    let event = one(&mut bench);
    assert_eq!((event.noted.end, event.bytes()), (End::ClientReset as u32, [0, 0]));
}

fn a_client_that_has_closed_its_side_is_answered_before_anything_is_told(world: World) {
    let mut bench = following(world);
    let (client, peer) = at_a_peer(&mut bench);
    bench.ingress(&client.segment(FIN | ACK, SENT, 0));
    assert!(bench.reports().is_empty(), "the answer may still come");
    bench.ingress(&peer.segment(ACK | PSH, 0, SENT + 1).payload(ANSWER));
    let event = one(&mut bench);
    assert_eq!((told(&event), event.bytes()), ((1, 0, End::Answered as u32, 200), BYTES));
}

fn a_connection_that_falls_silent_is_told_when_it_is_swept(world: World) {
    let mut bench = following(world);
    at_a_peer(&mut bench);
    // As when one side has closed, without which it would take two hours since the machine was started.
    bench.mark_flows(mark::SAMPLED | mark::CLIENT_FIN);
    bench.age(Duration::from_secs(241));
    bench.sweep();
    assert_eq!(told(&one(&mut bench)), (1, Way::First as u32, End::Forgotten as u32, 0));
    assert_eq!(bench.live(), 0);
}

fn a_tuple_that_is_used_again_ends_what_was_under_way_on_it(world: World) {
    let mut bench = following(world);
    let (client, _) = at_a_peer(&mut bench);
    let again = Client { isn: client.isn + 500_000_000, ..client.clone() }.connect(&mut bench);
    bench.ingress(&again.segment(ACK, 0, 0).payload(REQUEST));
    assert_eq!(one(&mut bench).noted.end, End::Forgotten as u32);

    // The same of a peer's.
    let mut kept = OfPeer::open(world);
    kept.bench.configure(|config| config.sample = 1);
    kept.ask(REQUEST);
    let syn = Segment::new(kept.end, world.data(), SYN).numbers(7_000, 0).options(&syn_options(1));
    kept.bench.ingress(&syn);
    let event = one(&mut kept.bench);
    assert_eq!((event.peer, event.noted.end), (1, End::Forgotten as u32));
}

fn what_is_not_understood_is_told_without_a_function_and_its_refusal_too(world: World) {
    let mut bench = following(world);
    let request = b"GET /healthz HTTP/1.1\r\nHost: n\r\n\r\n";
    let ask = |bench: &mut Bench, port| {
        let client = Client::new(world, port).connect(bench);
        Backend::accepting(client.request(bench, request).segment())
    };
    let gateway = ask(&mut bench, 40_000);
    bench.egress(gateway.syn_ack());
    bench.egress(gateway.segment(ACK | PSH, 0, request.len() as u32).payload(ANSWER));
    let event = one(&mut bench);
    assert_eq!((event.function, told(&event)), (0, (0, 0, End::Answered as u32, 200)));
    let refusing = ask(&mut bench, 40_001);
    bench.egress(refusing.refusal());
    let event = one(&mut bench);
    assert_eq!((event.function, event.noted.end, event.noted.status), (0, End::Refused as u32, 0));
}

#[test]
fn what_follows_on_a_pinned_connection_is_part_of_its_last_invocation() {
    let world = World::V4;
    let mut bench = following(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    // A second request before the answer to the first.
    let both = [REQUEST, REQUEST].concat();
    let peer = Backend::accepting(client.request(&mut bench, &both).segment());
    bench.ingress(&peer.syn_ack());
    let sent = both.len() as u32;
    bench.ingress(&peer.segment(ACK | PSH, 0, sent).payload(ANSWER));
    bench.ingress(&peer.segment(ACK | PSH, ANSWER.len() as u32, sent).payload(ANSWER));
    assert!(bench.reports().is_empty());
    bench.ingress(&peer.fin(2 * ANSWER.len() as u32, sent));
    let event = one(&mut bench);
    assert!(event.pinned());
    assert_eq!((event.noted.end, event.bytes()), (End::Closed as u32, BYTES.map(|bytes| 2 * bytes)));
}

#[test]
fn without_followers_nothing_is_told_and_what_began_without_them_is_not_told_later() {
    let world = World::V4;
    let mut bench = Bench::new(world);
    let (_, peer) = at_a_peer(&mut bench);
    bench.configure(|config| config.sample = 1);
    bench.ingress(&peer.segment(ACK | PSH, 0, SENT).payload(ANSWER));
    assert!(bench.reports().is_empty());
    assert!(!bench.events().contains_key("sample_lost"));
}

/// Sends invocations that are answered 503 at once.
fn reject(bench: &mut Bench, count: u16) {
    bench.plan(&[(REJECT, 65_536)], |_| {});
    for port in 0..count {
        // The last one's tombstone makes room.
        let client = Client::new(bench.world, 10_000 + port).connect(bench);
        client.request(bench, REQUEST);
        bench.ingress(&client.segment(RST, SENT, 0));
        if port % 32 == 31 {
            bench.age(Duration::from_secs(100));
            bench.sweep();
        }
    }
}

#[test]
fn of_a_thinned_stream_about_one_in_so_many_is_told() {
    let mut bench = Bench::new(World::V4);
    bench.configure(|config| config.sample = 4);
    reject(&mut bench, 1_000);
    let told = bench.reports().len();
    // 250 are expected; seven standard deviations either way.
    assert!((154..=346).contains(&told), "{told} of 1,000");
}

#[test]
fn a_ring_that_nobody_empties_loses_events_which_are_counted_and_the_invocations_go_on() {
    let mut bench = following(World::V4);
    let fit = RING_BYTES as usize / (size_of::<InvocationEvent>() + 8);
    let count = fit as u16 + 100;
    reject(&mut bench, count);
    let told = bench.reports().len();
    assert!(told == fit || told + 1 == fit, "{told} of {fit} places");
    assert_eq!(bench.events()["sample_lost"] as usize, usize::from(count) - told);
    assert_eq!(bench.events()["rejected_503"], u64::from(count));
    reject(&mut bench, 1);
    assert_eq!(bench.reports().len(), 1, "an empty ring takes events again");
}

#[test]
fn what_exceeds_the_limits_here_is_told_as_overflowed() {
    let mut bench = following(World::V4);
    bench.reports.set(1, Report { known: 1, ..Report::default() }, 0).expect("a report");
    bench.plan(&[(LOCAL, 65_536)], |plan| {
        plan.local_inflight = 1;
        plan.set_candidates([1].into_iter());
    });
    send(&mut bench, 40_000);
    let peer = Backend::accepting(send(&mut bench, 40_001));
    bench.ingress(&peer.syn_ack());
    bench.ingress(&peer.segment(ACK | PSH, 0, SENT).payload(ANSWER));
    assert_eq!(told(&one(&mut bench)), (1, Way::Overflowed as u32, End::Answered as u32, 200));
}
