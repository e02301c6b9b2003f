//! The boundaries of one connection, told segment by segment. Sequence numbers run over the end of their range.

mod answers;
mod chunks;
mod requests;

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

    fn data(&self, at: u32, acknowledged: u32) -> Data {
        self.exchange.client.data(
            CLIENT.wrapping_add(at),
            BACKEND.wrapping_add(acknowledged),
            CLIENT.wrapping_add(self.backend_acked),
            self.exchange.backend.answered,
        )
    }

    fn at_boundary(&self, at: u32, acknowledged: u32) -> bool {
        self.data(at, acknowledged) == Data::Request
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
