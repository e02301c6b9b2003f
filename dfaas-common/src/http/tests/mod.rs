//! Heads as they are sent, heads as attackers send them, and the agreement with another reader.

mod attacks;
mod heads;
mod line;
mod reference;

use super::request::{self, RequestFacts};
use super::{flag, response};

/// The facts of a request with this head and body.
fn request(payload: &str) -> RequestFacts {
    request::read(payload.as_bytes()).facts()
}

/// Whether a request pins its connection.
fn request_pins(payload: &str) -> bool {
    request(payload).flags & flag::PINS != 0
}

/// Whether an answer pins its connection.
fn response_pins(payload: &str) -> bool {
    response::read(payload.as_bytes()).flags & flag::PINS != 0
}

/// A request with these header lines after the first one.
fn with(lines: &str) -> String {
    format!("POST /function/figlet HTTP/1.1\r\nHost: node:8080\r\n{lines}\r\n")
}

/// An answer with these header lines after the first one.
fn answer_with(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{lines}\r\n")
}
