//! Heads against `httparse`: of what is certain to us, another reader sees the same.

use dfaas_common::http::look::{LOOK, Look};
use dfaas_common::http::{STEPS, flag, request as requests, response as responses};
use dfaas_common::plan::NAME_BYTES;
use dfaas_common::request::{Outcome, is_name_byte};
use httparse::{EMPTY_HEADER, Status};

use crate::meaning::meaning;

/// More lines than we read.
const LINES: usize = 128;

/// Heads of requests.
///
/// # Panics
/// Where the readers disagree.
pub fn request(data: &[u8]) {
    let read = requests::read(data);
    let facts = read.facts();
    assert!(facts.head <= LOOK.min(data.len() as u32), "{facts:?}");
    if read.outcome() == Outcome::Invocation {
        let name = function(data).expect("an invocation names a function");
        assert!(read.name.starts_with(name) && read.name[name.len()..].iter().all(|byte| *byte == 0));
    }
    unfinished(data);
    if facts.flags & flag::PINS != 0 {
        return;
    }
    let mut headers = [EMPTY_HEADER; LINES];
    let mut reference = httparse::Request::new(&mut headers);
    assert_eq!(reference.parse(data), Ok(Status::Complete(facts.head as usize)));
    assert_eq!(reference.version, Some(1));
    assert!(!["HEAD", "CONNECT"].contains(&reference.method.unwrap_or("HEAD")));
    let says = meaning(reference.headers);
    assert!(!says.doubtful && !says.chunked, "{says:?}");
    assert_eq!(facts.body, says.length.unwrap_or(0));
    assert_eq!(facts.flags & flag::CLOSES != 0, says.closes);
    assert_eq!(facts.flags & flag::FORWARDED_FOR != 0, says.forwarded_for);
    let line = data.iter().position(|byte| *byte == b'\n').map(|at| at as u32 + 1);
    assert_eq!(Some(facts.headers_at), line);
    // Whoever sees less of it, sees no end, and never another one.
    for cut in [facts.head - 1, facts.head / 2, facts.headers_at] {
        let less = requests::read(&data[..cut as usize]).facts();
        assert_eq!((less.head, less.flags & flag::PINS), (0, flag::PINS), "cut at {cut}");
    }
}

/// The name in a request line, read naively.
fn function(data: &[u8]) -> Option<&[u8]> {
    let space = data.iter().position(|byte| *byte == b' ')?;
    let mut target = &data[space + 1..];
    if target.len() > 7 && target[..7].eq_ignore_ascii_case(b"http://") {
        target = &target[7..];
        target = &target[target.iter().position(|byte| *byte == b'/')?..];
    }
    let path = target.strip_prefix(b"/function/").or_else(|| target.strip_prefix(b"/async-function/"))?;
    let end = path.iter().position(|byte| !is_name_byte(*byte))?;
    ((1..NAME_BYTES).contains(&end) && matches!(path[end], b' ' | b'/' | b'?')).then(|| &path[..end])
}

/// Readers stay within the bytes that there are, also where no zeros follow them but the rest of another packet.
fn unfinished(data: &[u8]) {
    let (full, length) = Look::of(data);
    let mut look = Look { words: [u64::from_le_bytes(*b"x\r\n\r\n\r\n\r"); 256] };
    let whole = length as usize / 8;
    look.words[..whole].copy_from_slice(&full.words[..whole]);
    let mut request = requests::RequestHead::new(length);
    let mut response = responses::ResponseHead::new(length);
    for _ in 0..STEPS {
        request.step(&look);
        response.step(&look);
    }
    assert!(request.facts().head <= length && response.facts().head <= length);
}

/// Heads of answers.
///
/// # Panics
/// Where the readers disagree.
pub fn response(data: &[u8]) {
    let facts = responses::read(data);
    assert!(facts.head <= LOOK.min(data.len() as u32), "{facts:?}");
    if facts.flags & flag::PINS != 0 {
        return;
    }
    let mut headers = [EMPTY_HEADER; LINES];
    let mut reference = httparse::Response::new(&mut headers);
    assert_eq!(reference.parse(data), Ok(Status::Complete(facts.head as usize)));
    assert_eq!((reference.version, reference.code), (Some(1), Some(facts.status)));
    let says = meaning(reference.headers);
    assert!(!says.doubtful && facts.status >= 200, "{says:?}");
    assert_eq!(facts.flags & flag::CLOSES != 0, says.closes);
    if [204, 304].contains(&facts.status) {
        assert_eq!((facts.body, facts.flags & flag::CHUNKED), (0, 0));
    } else {
        assert_ne!(says.length.is_some(), says.chunked, "one of both");
        assert_eq!(facts.body, says.length.unwrap_or(0));
        assert_eq!(facts.flags & flag::CHUNKED != 0, says.chunked);
    }
    for cut in [facts.head - 1, facts.head / 2] {
        let less = responses::read(&data[..cut as usize]);
        assert_eq!((less.head, less.flags & flag::PINS), (0, flag::PINS), "cut at {cut}");
    }
}
