//! The boundaries of one connection, told segment by segment. Sequence numbers run over the end of their range.

use super::*;
use crate::http::request::RequestFacts;
use crate::http::response::ResponseFacts;
use crate::http::{LONGEST_MESSAGE, flag};

/// First sequence numbers of client and backend: both wrap within the first exchange.
const CLIENT: u32 = u32::MAX - 50;
const BACKEND: u32 = u32::MAX - 90;

/// Requests of 100 bytes of head, answers of 200.
const HEAD: u32 = 100;
const ANSWER_HEAD: u32 = 200;

fn asks(body: u64) -> RequestFacts {
    RequestFacts { head: HEAD, body, headers_at: 30, ..RequestFacts::default() }
}

fn answers(body: u64) -> ResponseFacts {
    ResponseFacts { head: ANSWER_HEAD, body, status: 200, ..ResponseFacts::default() }
}

fn in_chunks() -> ResponseFacts {
    ResponseFacts { flags: flag::CHUNKED, ..answers(0) }
}

/// A connection in sequence numbers that count from its start.
#[derive(Default)]
struct Connection {
    exchange: Exchange,
    backend_acked: u32,
}

impl Connection {
    /// One that has asked for something with `body` bytes, all in one segment.
    fn asked(body: u32) -> Self {
        let mut connection = Self::default();
        assert_eq!(connection.ask(0, 0, HEAD + body, body.into()), Verdict::Go);
        connection.backend_acked = HEAD + body;
        connection
    }

    fn ask(&mut self, at: u32, acknowledged: u32, payload: u32, body: u64) -> Verdict {
        let (at, acknowledged) = (CLIENT.wrapping_add(at), BACKEND.wrapping_add(acknowledged));
        self.exchange.client.on_request(at, acknowledged, payload, &asks(body))
    }

    fn at_boundary(&self, at: u32, acknowledged: u32) -> bool {
        self.exchange.client.at_boundary(
            CLIENT.wrapping_add(at),
            BACKEND.wrapping_add(acknowledged),
            CLIENT.wrapping_add(self.backend_acked),
            self.exchange.backend.answered,
        )
    }

    fn sends(&self, at: u32, payload: u32) -> Verdict {
        self.exchange.client.client_segment(CLIENT.wrapping_add(at), payload)
    }

    fn comes(&mut self, at: u32, payload: u32) -> Answer {
        let asked = self.exchange.client.asked;
        self.exchange.backend.backend_segment(BACKEND.wrapping_add(at), payload, asked)
    }

    fn answers(&mut self, at: u32, payload: u32, facts: &ResponseFacts) -> Answer {
        assert_eq!(self.comes(at, payload), Answer::Head);
        self.exchange.backend.on_response(BACKEND.wrapping_add(at), payload, facts)
    }

    fn chunk(&mut self, at: u32, payload: u32, text: &str) -> Answer {
        let mut bytes = [0; 16];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let (low, high) = bytes.split_at(8);
        let words = [low, high].map(|half| u64::from_ne_bytes(half.try_into().expect("eight bytes")));
        self.exchange.backend.on_chunk(BACKEND.wrapping_add(at), payload, words, text.len() as u32)
    }
}

#[test]
fn the_next_request_is_at_a_boundary_once_all_is_answered_and_acknowledged() {
    let mut connection = Connection::asked(10);
    assert!(!connection.at_boundary(110, 0), "no answer yet");
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Nothing);
    assert!(!connection.at_boundary(110, 250), "half an answer");
    assert_eq!(connection.comes(250, 50), Answer::Done);
    assert!(!connection.at_boundary(110, 250), "the client has not got all of it");
    assert!(connection.at_boundary(110, 300));
    assert!(!connection.at_boundary(109, 300) && !connection.at_boundary(111, 300));
    connection.backend_acked = 109;
    assert!(!connection.at_boundary(110, 300), "the backend has not got all of the request");
    connection.backend_acked = 110;
    assert_eq!(connection.ask(110, 300, HEAD, 0), Verdict::Go);
    assert!(!connection.at_boundary(210, 300), "the answer before this one does not count again");
    assert_eq!(connection.answers(300, 200, &answers(0)), Answer::Done);
    connection.backend_acked = 210;
    assert!(connection.at_boundary(210, 500));
}

#[test]
fn nothing_is_a_boundary_before_the_first_request() {
    assert!(!Exchange::default().client.at_boundary(0, 0, 0, Milestone::default()));
    assert_eq!(Connection::default().comes(0, 1), Answer::Pin);
    assert_eq!(Connection::default().comes(0, 0), Answer::Nothing);
}

#[test]
fn requests_that_do_not_tell_their_end_pin() {
    let mut client = ClientSide::default();
    for (facts, payload) in [
        (RequestFacts { flags: flag::PINS, ..asks(0) }, HEAD),
        (RequestFacts { head: 0, ..asks(0) }, HEAD),
        (asks(LONGEST_MESSAGE), HEAD),
        // Another request behind this one.
        (asks(0), HEAD + 1),
        (asks(10), HEAD + 11),
    ] {
        assert_eq!(client.on_request(0, 0, payload, &facts), Verdict::Pin, "{facts:?}");
    }
    assert_eq!(client, ClientSide::default());
}

#[test]
fn data_within_the_present_request_are_fine_in_any_order_and_data_beyond_it_pin() {
    let mut connection = Connection::default();
    assert_eq!(connection.ask(0, 0, HEAD, 1000), Verdict::Go);
    for (at, payload) in
        [(100, 500), (600, 500), (0, 100), (600, 500), (50, 200), (1099, 1), (1100, 0), (1099, 0)]
    {
        assert_eq!(connection.sends(at, payload), Verdict::Go, "{at} {payload}");
    }
    for (at, payload) in [(1100, 1), (1000, 101), (1101, 50), (5000, 100), (0, 1101)] {
        assert_eq!(connection.sends(at, payload), Verdict::Pin, "{at} {payload}");
    }
}

#[test]
fn an_early_answer_makes_no_boundary_before_the_request_has_ended() {
    let mut connection = Connection::default();
    assert_eq!(connection.ask(0, 0, HEAD, 1000), Verdict::Go);
    connection.backend_acked = 100;
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    assert!(!connection.at_boundary(100, 300), "the body begins with what looks like a request");
    assert_eq!(connection.sends(100, 1000), Verdict::Go);
    assert!(!connection.at_boundary(1100, 300));
    connection.backend_acked = 1100;
    assert!(connection.at_boundary(1100, 300));
}

#[test]
fn an_answer_that_is_sent_again_changes_nothing() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    for (at, payload) in [(0, 300), (0, 100), (299, 1), (299, 0), (150, 150)] {
        assert_eq!(connection.comes(at, payload), Answer::Nothing, "{at} {payload}");
    }
    assert_eq!(connection.ask(100, 300, HEAD, 0), Verdict::Go);
    // Also after the next request, until its own answer begins.
    assert_eq!(connection.comes(0, 300), Answer::Nothing);
    assert_eq!(connection.comes(299, 1), Answer::Nothing);
    assert_eq!(connection.answers(300, 200, &answers(0)), Answer::Done);
    assert_eq!(connection.comes(0, 300), Answer::Nothing);
}

#[test]
fn a_head_that_is_read_twice_counts_once() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Nothing);
    let before = connection.exchange;
    let again = connection.exchange.backend.on_response(BACKEND, 250, &answers(7));
    assert_eq!((again, connection.exchange), (Answer::Nothing, before));
}

#[test]
fn data_that_straddle_the_start_of_an_answer_pin() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &answers(0)), Answer::Done);
    assert_eq!(connection.ask(100, 200, HEAD, 0), Verdict::Go);
    assert_eq!(connection.comes(199, 2), Answer::Pin);
}

#[test]
fn data_behind_the_end_of_an_answer_pin() {
    // In the segment of the head, in a later one, across the end, and ahead of the head.
    assert_eq!(Connection::asked(0).answers(0, 301, &answers(100)), Answer::Pin);
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 300, &answers(100)), Answer::Done);
    assert_eq!(connection.comes(300, 1), Answer::Pin);
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Nothing);
    assert_eq!(connection.comes(250, 51), Answer::Pin);
    let mut connection = Connection::asked(0);
    assert_eq!(connection.comes(250, 51), Answer::Nothing);
    assert_eq!(connection.answers(0, 250, &answers(100)), Answer::Pin);
    assert!(!connection.at_boundary(100, 300), "a doubtful end is not told");
}

#[test]
fn answers_that_do_not_tell_their_end_pin() {
    for facts in [
        ResponseFacts { flags: flag::PINS, ..answers(0) },
        ResponseFacts { head: 0, ..answers(0) },
        answers(LONGEST_MESSAGE),
    ] {
        assert_eq!(Connection::asked(0).answers(0, 200, &facts), Answer::Pin, "{facts:?}");
    }
}

#[test]
fn an_answer_with_a_length_ends_where_it_says_also_when_its_segments_change_places() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.comes(400, 100), Answer::Nothing);
    assert_eq!(connection.comes(300, 100), Answer::Nothing);
    assert_eq!(connection.answers(0, 300, &answers(300)), Answer::Done);
    assert!(connection.at_boundary(100, 500));
}

#[test]
fn chunks_are_followed_to_the_last_one() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    // `64\r\n`, 100 bytes, CR LF, and in the same segment `a\r\n` with half of ten bytes.
    assert_eq!(connection.comes(200, 114), Answer::Chunk { at: 0 });
    assert_eq!(connection.chunk(200, 114, "64\r\nxxxxxxxxxxxx"), Answer::Chunk { at: 104 });
    assert_eq!(connection.chunk(200, 114, "\r\na\r\nxxxxx"), Answer::Nothing);
    assert_eq!(connection.comes(200, 114), Answer::Nothing, "sent again");
    assert_eq!(connection.comes(314, 12), Answer::Chunk { at: 5 });
    assert!(!connection.at_boundary(100, 326));
    assert_eq!(connection.chunk(314, 12, "\r\n0\r\n\r\n"), Answer::Done);
    assert!(connection.at_boundary(100, 326));
}

#[test]
fn a_chunk_line_may_be_cut_at_every_byte() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    let body = "1\r\nx\r\n0000000a\r\n0123456789\r\n0\r\n\r\n";
    let data = [3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25];
    for (i, byte) in body.bytes().enumerate() {
        let at = 200 + i as u32;
        let outcome = connection.comes(at, 1);
        if data.contains(&i) {
            assert_eq!(outcome, Answer::Nothing, "{i}");
            continue;
        }
        assert_eq!(outcome, Answer::Chunk { at: 0 }, "{i}");
        let last = i + 1 == body.len();
        let wanted = if last { Answer::Done } else { Answer::Nothing };
        assert_eq!(connection.chunk(at, 1, &char::from(byte).to_string()), wanted, "{i}");
        assert_eq!(connection.comes(at, 1), Answer::Nothing, "sent again");
    }
    assert!(connection.at_boundary(100, 200 + body.len() as u32));
}

#[test]
fn a_chunk_line_that_was_lost_is_waited_for() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    // A chunk of 256 bytes; its line comes after half of its data.
    assert_eq!(connection.comes(300, 100), Answer::Nothing);
    assert_eq!(connection.comes(200, 100), Answer::Chunk { at: 0 });
    assert_eq!(connection.chunk(200, 100, "100\r\nxxxxxxxxxxx"), Answer::Nothing);
    assert_eq!(connection.comes(400, 68), Answer::Chunk { at: 61 });
    assert_eq!(connection.chunk(400, 68, "\r\n0\r\n\r\n"), Answer::Done);
}

#[test]
fn a_chunk_line_that_may_have_passed_unread_pins() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
    assert_eq!(connection.comes(300, 100), Answer::Nothing);
    assert_eq!(connection.comes(200, 100), Answer::Chunk { at: 0 });
    assert_eq!(connection.chunk(200, 100, "80\r\nxxxxxxxxxxxx"), Answer::Pin);
}

#[test]
fn chunks_that_are_not_what_they_say_pin() {
    for (line, then) in [
        ("5;x=y\r\n", None),
        ("0\r\nX: y\r\n\r\n", None),
        ("40000001\r\n", None),
        ("5\r\n", Some("0\r\n\r\n")),
    ] {
        let mut connection = Connection::asked(0);
        assert_eq!(connection.answers(0, 200, &in_chunks()), Answer::Nothing);
        assert_eq!(connection.comes(200, 50), Answer::Chunk { at: 0 });
        let outcome = connection.chunk(200, 50, line);
        match then {
            None => assert_eq!(outcome, Answer::Pin, "{line:?}"),
            Some(next) => {
                assert_eq!(outcome, Answer::Chunk { at: 8 });
                assert_eq!(connection.chunk(200, 50, next), Answer::Pin, "{next:?}");
            }
        }
    }
}

#[test]
fn data_behind_the_last_chunk_pin() {
    let mut connection = Connection::asked(0);
    assert_eq!(connection.answers(0, 210, &in_chunks()), Answer::Chunk { at: 200 });
    assert_eq!(connection.chunk(0, 210, "0\r\n\r\nHTTP/"), Answer::Pin);
    assert!(!connection.at_boundary(100, 205));
}

#[test]
fn the_sides_tell_each_other_whole_words() {
    let milestone = Milestone::new(7, 0xffff_fff0);
    assert_eq!((milestone.exchange(), milestone.sequence()), (7, 0xffff_fff0));
    assert!(after(5, u32::MAX - 5) && !after(u32::MAX - 5, 5) && !after(5, 5));
}
