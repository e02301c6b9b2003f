//! The line that names the client to a backend elsewhere: in the first segment of each leg that leaves the node.

use dfaas_common::config::setting;
use dfaas_common::translate::flag::{ACK, PSH};

use crate::bench::Bench;
use crate::kept::{Kept, all_to};
use crate::story::{ANSWER, REQUEST};
use crate::world::{World, in_every_world};

in_every_world!(
    the_first_request_of_a_leg_that_leaves_the_node_names_the_client_and_no_other,
    numbers_behind_the_line_are_shifted_both_ways_and_so_are_the_edges_of_what_was_received,
    the_first_segment_of_a_leg_that_comes_again_has_the_line_again,
    a_line_that_is_there_is_left_as_it_is,
    headers_at_odd_and_even_places_are_summed_right,
    a_full_segment_is_cut_to_what_the_way_takes_with_the_line,
);

fn naming(world: World) -> Bench {
    let mut bench = Bench::new(world);
    bench.configure(|config| config.settings |= setting::FORWARDED_FOR);
    bench
}

/// A connection whose first request goes home.
fn kept(world: World) -> Kept {
    let mut kept = Kept::open_with(naming(world), 0, REQUEST);
    kept.answered();
    kept
}

/// The request with the line in it: the address as it is read, and how long the line is.
fn named(request: &[u8], got: &[u8]) -> (String, u32) {
    let start = request.windows(2).position(|pair| pair == b"\r\n").expect("a request line") + 2;
    let length = got.len() - request.len();
    let line = std::str::from_utf8(&got[start..start + length]).expect("ASCII");
    assert_eq!([&got[..start], &got[start + length..]].concat(), request, "the rest is as it was");
    let value = line.strip_prefix("X-Forwarded-For:").and_then(|rest| rest.strip_suffix("\r\n"));
    let address: std::net::IpAddr = value.expect("a header line").trim().parse().expect("an address");
    (address.to_string(), length as u32)
}

/// Moves it to a peer, which gets the line.
fn away(kept: &mut Kept, peer: u32, request: &[u8]) {
    all_to(&mut kept.bench, peer);
    kept.move_to(request);
    let got = kept.accept();
    let (address, length) = named(request, &got.payload);
    assert_eq!(address, kept.client.end.0.to_string());
    kept.line = length;
}

fn the_first_request_of_a_leg_that_leaves_the_node_names_the_client_and_no_other(world: World) {
    let mut kept = kept(world);
    for peer in [1, 2] {
        away(&mut kept, peer, REQUEST);
        kept.answered();
        kept.stays_behind_a_line(REQUEST);
        kept.answered();
    }
    all_to(&mut kept.bench, 0);
    assert_eq!(kept.move_to(REQUEST), "local");
    kept.accept_carrying(REQUEST);
    kept.answered();
    kept.stays(REQUEST);
}

fn numbers_behind_the_line_are_shifted_both_ways_and_so_are_the_edges_of_what_was_received(world: World) {
    let mut kept = kept(world);
    away(&mut kept, 1, REQUEST);
    let line = kept.line;
    kept.answer(ANSWER);

    // The client's own bytes lie higher at the backend; what it acknowledges is the backend's.
    let ack = kept.bench.ingress(&kept.of_client(ACK)).segment();
    let begun = kept.client.isn + 1 + kept.sent;
    assert_eq!(ack.sequence, begun + line);
    assert_eq!(ack.acknowledgment, kept.backend.isn.wrapping_add(1 + ANSWER.len() as u32));

    // What the backend says it has got beyond a hole.
    let mut sack = kept.of_backend(ACK);
    sack.options.extend([1, 1, 5, 10]);
    sack.options.extend((begun + line + 100).to_be_bytes());
    sack.options.extend((begun + line + 200).to_be_bytes());
    let seen = kept.deliver(&sack).segment();
    assert_eq!(seen.acknowledgment, begun);
    assert_eq!(seen.options[16..20], (begun + 100).to_be_bytes());
    assert_eq!(seen.options[20..24], (begun + 200).to_be_bytes());
}

fn the_first_segment_of_a_leg_that_comes_again_has_the_line_again(world: World) {
    let mut kept = kept(world);
    all_to(&mut kept.bench, 1);
    let segment = kept.of_client(ACK | PSH).payload(REQUEST);
    away(&mut kept, 1, REQUEST);
    for _ in 0..2 {
        let again = kept.bench.ingress(&segment).segment();
        assert_eq!(named(REQUEST, &again.payload).1, kept.line);
        assert_eq!((again.to, again.sequence), (kept.backend.syn.to, segment.sequence));
        assert_eq!(again.acknowledgment, kept.backend.isn.wrapping_add(1));
    }
    kept.answered();
    kept.stays_behind_a_line(REQUEST);
}

fn a_line_that_is_there_is_left_as_it_is(world: World) {
    for name in ["X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR"] {
        let request = format!("GET /function/figlet HTTP/1.1\r\nHost: n\r\n{name}: 1.2.3.4\r\n\r\n");
        let mut kept = kept(world);
        all_to(&mut kept.bench, 1);
        assert_eq!(kept.move_to(request.as_bytes()), "peer 1");
        kept.accept_carrying(request.as_bytes());
        kept.answered();
        kept.stays(REQUEST);
    }
}

fn headers_at_odd_and_even_places_are_summed_right(world: World) {
    let mut kept = kept(world);
    for (turn, query) in ["", "a", "ab", "abc", "abcd"].into_iter().enumerate() {
        let request = format!("GET /function/figlet?{query} HTTP/1.1\r\nHost: node\r\n\r\n");
        let length = request.len();
        // The checksum of what leaves is checked as it is read.
        away(&mut kept, 1 + turn as u32 % 2, request.as_bytes());
        assert_eq!(length - query.len(), "GET /function/figlet? HTTP/1.1\r\nHost: node\r\n\r\n".len());
        kept.answered();
    }
}

fn a_full_segment_is_cut_to_what_the_way_takes_with_the_line(world: World) {
    let size = u32::from(world.users.segment_size());
    let head = "POST /function/figlet HTTP/1.1\r\nHost: node\r\nContent-Length: 5000\r\n\r\n";
    let request: Vec<u8> = head.bytes().chain((0_u32..).map(|i| i as u8)).take(size as usize - 12).collect();
    let mut kept = kept(world);
    all_to(&mut kept.bench, 1);
    let segment = kept.of_client(ACK | PSH).payload(&request);
    kept.move_to(&request);
    let got = kept.accept();
    assert_eq!(got.payload.len() as u32, size - 12, "as much as the way takes");
    let line = if kept.client.end.0.is_ipv4() { 34 } else { 58 };
    let (_, length) = named(&request[..request.len() - line], &got.payload);
    assert_eq!(length as usize, line);
    assert_eq!(
        kept.bench.ingress(&segment).segment().payload,
        got.payload,
        "cut the same when it comes again"
    );
    // The rest follows, behind the line.
    let begun = segment.sequence;
    let rest = segment.clone().numbers(begun + size - 12 - length, segment.acknowledgment);
    let rest = kept.bench.ingress(&rest.payload(&request[request.len() - line..])).segment();
    assert_eq!((rest.sequence, rest.payload.len()), (begun + size - 12, line));
}
