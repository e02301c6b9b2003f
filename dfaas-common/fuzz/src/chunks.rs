//! Chunked bodies, in segments cut anywhere, against a naive decoder of the whole body.

use dfaas_common::http::LONGEST_MESSAGE;
use dfaas_common::http::exchange::{Answer, BackendSide, Milestone};
use dfaas_common::http::response;

use crate::input::Input;

/// The head before the body.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The next bytes of a payload as the tracker takes them.
pub fn words(rest: &[u8]) -> ([u64; 2], u32) {
    let mut bytes = [0; 16];
    let count = rest.len().min(16);
    bytes[..count].copy_from_slice(&rest[..count]);
    let all = u128::from_le_bytes(bytes);
    ([all as u64, (all >> 64) as u64], count as u32)
}

/// Where a body ends by the strict rules: at most eight digits, no extensions, no trailer.
#[derive(Debug, PartialEq, Eq)]
enum End {
    At(usize),
    /// It goes on.
    Open,
    /// It breaks the rules.
    Broken,
}

fn strict_end(body: &[u8]) -> End {
    let mut at = 0;
    loop {
        let rest = &body[at.min(body.len())..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let text = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
        // What has come so far must be the beginning of a line.
        if digits > 8 || digits == 0 && !rest.is_empty() {
            return End::Broken;
        }
        let Ok(size) = u64::from_str_radix(text, 16) else { return End::Open };
        let last = size == 0;
        let tail: &[u8] = if last { b"\r\n\r\n" } else { b"\r\n" };
        let came = &rest[digits..rest.len().min(digits + tail.len())];
        if !tail.starts_with(came) {
            return End::Broken;
        }
        if came.len() < tail.len() {
            return End::Open;
        }
        if last {
            return if digits == 1 { End::At(at + 1 + tail.len()) } else { End::Broken };
        }
        if size > LONGEST_MESSAGE {
            return End::Broken;
        }
        at += digits + 2 + size as usize;
        let came = &body[at.min(body.len())..body.len().min(at + 2)];
        if !b"\r\n".starts_with(came) {
            return End::Broken;
        }
        if came.len() < 2 {
            return End::Open;
        }
        at += 2;
    }
}

/// A chunked answer.
///
/// # Panics
/// Where the tracker ends it elsewhere than the decoder does, or has doubts about a body that is right.
pub fn chunks(data: &[u8]) {
    let mut input = Input(data);
    let first = input.word();
    let cuts = input.array::<16>();
    let body = input.0;
    let end = strict_end(body);
    // Nothing comes behind an answer whose end is known: that would be another one.
    let body = if let End::At(end) = end { &body[..end] } else { body };
    let mut backend = BackendSide::default();
    let asked = Milestone::new(1, first);
    let mut sequence = first;
    let mut said = step(&mut backend, sequence, HEAD, asked);
    sequence = sequence.wrapping_add(HEAD.len() as u32);
    let (mut rest, mut turn) = (body, 0);
    while !rest.is_empty() && said == Answer::Nothing {
        let size = 1 + usize::from(cuts[turn % cuts.len()]);
        let (segment, others) = rest.split_at(size.min(rest.len()));
        said = step(&mut backend, sequence, segment, asked);
        sequence = sequence.wrapping_add(segment.len() as u32);
        (rest, turn) = (others, turn + 1);
    }
    match end {
        End::At(end) => {
            assert_eq!(said, Answer::Done, "a right body of {end} bytes ends");
            let after = first.wrapping_add((HEAD.len() + end) as u32);
            assert_eq!(backend.answered, Milestone::new(1, after));
        }
        End::Open => assert_eq!(said, Answer::Nothing, "it goes on"),
        End::Broken => assert_ne!(said, Answer::Done, "it has no certain end"),
    }
}

/// One segment of a backend, as the programs handle it.
pub fn step(backend: &mut BackendSide, sequence: u32, segment: &[u8], asked: Milestone) -> Answer {
    let length = segment.len() as u32;
    let mut said = backend.backend_segment(sequence, length, asked);
    if said == Answer::Head {
        said = backend.on_response(sequence, length, &response::read(segment));
    }
    while let Answer::Chunk { at } = said {
        let (bytes, count) = words(&segment[at as usize..]);
        said = backend.on_chunk(sequence, length, bytes, count);
    }
    said
}
