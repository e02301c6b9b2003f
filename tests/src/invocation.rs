//! Invocations with bodies that tell when anything is lost.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use crate::http::Answer;

/// `POST /function/NAME` with a body, on a connection that stays open.
pub fn call(function: &str, body: Bytes) -> Request<Full<Bytes>> {
    let request = Request::post(format!("/function/{function}")).header("host", "node:8080");
    request.body(Full::new(body)).expect("names of functions make targets")
}

/// Bytes that repeat nowhere, so that anything lost, doubled or moved shows.
pub fn body(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// The node that answered, by its own account; nothing for what the programs answer.
pub fn served_by(answer: &Answer) -> &str {
    answer.headers().get("dfaas-node").and_then(|name| name.to_str().ok()).unwrap_or_default()
}
