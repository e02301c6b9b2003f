//! What looks like the start of a request and is none, or may be none: the connection stays where it is.

use dfaas_common::translate::flag::{ACK, FIN, PSH};

use crate::bench::{Bench, DROP, REDIRECT};
use crate::kept::{Kept, all_to};
use crate::story::{ANSWER, REQUEST};
use crate::world::World;

/// After this request and answer the plan changes, and the next request stays with the peer of the first.
fn pinned_by(request: &[u8], answer: &[u8], reason: &str) {
    let mut kept = Kept::open_with(Bench::new(World::V4), 1, request);
    kept.answer(answer);
    kept.bench.ingress(&kept.of_client(ACK));
    all_to(&mut kept.bench, 2);
    kept.stays(REQUEST);
    let what = String::from_utf8_lossy(request).into_owned();
    assert_eq!((kept.moves(), kept.bench.events().get("pinned")), (0, Some(&1)), "{what}");
    assert_eq!(kept.bench.pins(), [(reason, 1)].into(), "{what}");
}

/// After this one it moves: nothing is wrong with it.
fn moved_after(request: &[u8], answers: &[&[u8]]) {
    let mut kept = Kept::open_with(Bench::new(World::V4), 1, request);
    answers.iter().for_each(|answer| drop(kept.answer(answer)));
    kept.bench.ingress(&kept.of_client(ACK));
    all_to(&mut kept.bench, 2);
    let what = String::from_utf8_lossy(answers[0]).into_owned();
    assert_eq!(kept.ask(REQUEST).segment().to, kept.bench.world.data_of(2), "{what}");
}

fn invocation(method: &str, lines: &str, body: &str) -> Vec<u8> {
    format!("{method} /function/figlet HTTP/1.1\r\nHost: node\r\n{lines}\r\n{body}").into_bytes()
}

#[test]
fn requests_whose_end_or_whose_answers_end_is_not_certain_pin() {
    for (method, lines, body) in [
        ("HEAD", "", ""),
        ("POST", "Expect: 100-continue\r\nContent-Length: 2\r\n", "hi"),
        ("GET", "Connection: Upgrade\r\nUpgrade: websocket\r\n", ""),
        ("POST", "Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("POST", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("POST", "Content-Length: 2\r\nContent-Length: 3\r\n", "hi"),
        ("POST", "Content-Length: +2\r\n", "hi"),
        ("POST", "Content-Length : 2\r\n", "hi"),
        ("POST", "Content-Length: 2\r\n folded: 1\r\n", "hi"),
    ] {
        pinned_by(&invocation(method, lines, body), ANSWER, "request");
    }
}

#[test]
fn answers_whose_end_is_not_certain_pin() {
    for answer in [
        &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nothing of the kind",
    ] {
        pinned_by(REQUEST, answer, "answer_head");
    }
}

#[test]
fn whole_chunked_answers_are_followed_however_they_are_cut() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body = b"5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n";
    let whole = [&head[..], body].concat();
    moved_after(REQUEST, &[&whole]);
    for cut in head.len()..whole.len() {
        moved_after(REQUEST, &[&whole[..cut], &whole[cut..]]);
    }
    let mut pieces = vec![&head[..]];
    pieces.extend(body.chunks(3));
    moved_after(REQUEST, &pieces);
}

#[test]
fn a_body_that_begins_like_a_request_stays_with_its_head() {
    let head = b"POST /function/figlet HTTP/1.1\r\nHost: node\r\nContent-Length: 134\r\n\r\n";
    let mut kept = Kept::open_with(Bench::new(World::V4), 1, head);
    all_to(&mut kept.bench, 2);
    kept.stays(REQUEST);
    // Even if the peer has answered before all of it has come.
    kept.answered();
    kept.stays(REQUEST);
    assert_eq!(kept.moves(), 0);
}

#[test]
fn requests_that_do_not_wait_for_the_answer_stay_and_keep_the_connection() {
    // Two in one segment.
    pinned_by(&[REQUEST, REQUEST].concat(), ANSWER, "request");
    // The second in a segment of its own; and once it is there, not even the third may move.
    let mut kept = Kept::open(World::V4, 1);
    all_to(&mut kept.bench, 2);
    kept.stays(REQUEST);
    kept.answer(ANSWER);
    kept.answer(ANSWER);
    kept.bench.ingress(&kept.of_client(ACK));
    kept.stays(REQUEST);
    assert_eq!((kept.moves(), kept.bench.events()["pinned"]), (0, 1));
}

#[test]
fn a_request_before_the_client_has_acknowledged_the_answer_is_none_that_may_move() {
    let mut kept = Kept::open(World::V4, 1);
    kept.answer(ANSWER);
    all_to(&mut kept.bench, 2);
    let got = std::mem::replace(&mut kept.got, ANSWER.len() as u32 - 1);
    kept.stays(REQUEST);
    kept.got = got;
    assert_eq!(kept.moves(), 0);
}

#[test]
fn a_request_before_the_peer_has_acknowledged_the_one_before_waits_for_that() {
    let mut kept = Kept::open(World::V4, 1);
    let sent = std::mem::replace(&mut kept.sent, REQUEST.len() as u32 - 1);
    let early = kept.of_backend(ACK | PSH).payload(ANSWER);
    kept.sent = sent;
    kept.deliver(&early);
    kept.got = ANSWER.len() as u32;
    all_to(&mut kept.bench, 2);
    let acknowledgment = kept.of_backend(ACK);
    assert_eq!(kept.ask(REQUEST).verdict, DROP, "it comes again");
    assert_eq!((kept.moves(), kept.bench.events().get("pinned")), (0, None));
    kept.sent -= REQUEST.len() as u32;
    kept.deliver(&acknowledgment);
    assert_eq!(kept.ask(REQUEST).segment().to, kept.bench.world.data_of(2));
}

#[test]
fn a_request_that_closes_the_connection_behind_it_stays() {
    let mut kept = Kept::open(World::V4, 1);
    kept.answered();
    all_to(&mut kept.bench, 2);
    let last = kept.of_client(FIN | ACK | PSH).payload(REQUEST);
    let there = kept.bench.ingress(&last).segment();
    assert_eq!((there.to, there.flags & FIN), (kept.backend.syn.to, FIN));
    assert_eq!(kept.moves(), 0);
}

#[test]
fn a_request_too_large_to_be_kept_moves_once_it_comes_in_smaller_segments() {
    let body = 2_000;
    let mut large = invocation("POST", &format!("Content-Length: {body}\r\n"), "");
    large.extend(vec![b'x'; body]);
    let mut kept = Kept::open(World::V4, 1);
    kept.answered();
    kept.stays(&large);
    kept.answered();
    all_to(&mut kept.bench, 2);
    assert_eq!(kept.ask(&large).verdict, DROP);
    kept.sent -= large.len() as u32;
    assert_eq!(kept.bench.drops()["too_large_to_move"], 1);
    // What lies behind its head waits for it.
    let ahead = kept.of_client(ACK);
    let ahead = ahead.clone().numbers(ahead.sequence + 1_448, ahead.acknowledgment).payload(&large[1_448..]);
    assert_eq!(kept.bench.ingress(&ahead).verdict, DROP);
    assert_eq!(kept.move_to(&large[..1_448]), "peer 2");
    kept.accept_carrying(&large[..1_448]);
    kept.stays(&large[1_448..]);
}

#[test]
fn what_follows_a_request_that_was_to_be_the_last_stays_where_that_was() {
    let last = invocation("GET", "Connection: close\r\n", "");
    let mut kept = Kept::open_with(Bench::new(World::V4), 1, &last);
    kept.answered();
    all_to(&mut kept.bench, 2);
    kept.stays(REQUEST);
    assert_eq!((kept.moves(), kept.bench.pins()), (0, [("beyond_request", 1)].into()));
}

#[test]
fn a_damaged_request_moves_nothing_and_comes_again() {
    let mut kept = Kept::open(World::V4, 1);
    kept.answered();
    all_to(&mut kept.bench, 2);
    let mut frame = kept.of_client(ACK | PSH).payload(REQUEST).bytes();
    let last = frame.len() - 1;
    frame[last] ^= 1;
    assert_eq!(kept.bench.ingress_bytes(&frame).verdict, DROP);
    assert_eq!((kept.moves(), kept.bench.drops()["bad_checksum"]), (0, 1));
    let again = kept.ask(REQUEST);
    assert_eq!((again.verdict, again.segment().to), (REDIRECT, kept.bench.world.data_of(2)));
}
