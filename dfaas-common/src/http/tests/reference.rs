//! Agreement with `httparse`, an independent reader, on heads that are right, broken, and random.

use httparse::{EMPTY_HEADER, Header, Status};
use proptest::prelude::*;

use super::*;
use crate::http::look::{LOOK, Look};
use crate::request::Outcome;

/// What the headers say by the rules for one that reads them one by one.
#[derive(Debug, PartialEq)]
struct Meaning {
    length: Option<u64>,
    chunked: bool,
    closes: bool,
    forwarded_for: bool,
    doubtful: bool,
}

fn meaning(headers: &[Header<'_>]) -> Meaning {
    let values = |name: &str| {
        headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value).collect::<Vec<_>>()
    };
    let lengths: Vec<Option<u64>> = values("content-length")
        .iter()
        .map(|v| std::str::from_utf8(v).ok().filter(|v| !v.starts_with('+')).and_then(|v| v.parse().ok()))
        .collect();
    let codings = values("transfer-encoding");
    let options: Vec<String> = values("connection")
        .iter()
        .flat_map(|v| v.split(|b| *b == b','))
        .map(|v| String::from_utf8_lossy(v).trim().to_ascii_lowercase())
        .collect();
    let others = ["expect", "upgrade", "trailer"].iter().any(|name| !values(name).is_empty());
    Meaning {
        length: lengths.first().copied().flatten(),
        chunked: codings.iter().any(|v| v.eq_ignore_ascii_case(b"chunked")),
        closes: options.iter().any(|o| o == "close"),
        forwarded_for: !values("x-forwarded-for").is_empty(),
        doubtful: lengths.len() > 1
            || lengths.contains(&None)
            || codings.len() > 1
            || codings.iter().any(|v| !v.eq_ignore_ascii_case(b"chunked"))
            || options.iter().any(|o| !["close", "keep-alive", ""].contains(&o.as_str()))
            || others,
    }
}

/// Whenever we are certain of a request, the other reader sees the same.
fn request_agrees(payload: &[u8]) {
    let facts = request::read(payload).facts();
    if facts.flags & flag::PINS != 0 {
        return;
    }
    let mut headers = [EMPTY_HEADER; 128];
    let mut reference = httparse::Request::new(&mut headers);
    let read = reference.parse(payload);
    assert_eq!(read, Ok(Status::Complete(facts.head as usize)));
    assert_eq!(reference.version, Some(1));
    assert!(!["HEAD", "CONNECT"].contains(&reference.method.expect("a method")));
    let says = meaning(reference.headers);
    assert!(!says.doubtful && !says.chunked, "{says:?}");
    assert_eq!(facts.body, says.length.unwrap_or(0));
    assert_eq!(facts.flags & flag::CLOSES != 0, says.closes);
    assert_eq!(facts.flags & flag::FORWARDED_FOR != 0, says.forwarded_for);
    assert_eq!(facts.headers_at as usize, payload.iter().position(|b| *b == b'\n').expect("a line") + 1);
}

/// Whenever we are certain of an answer, the other reader sees the same.
fn response_agrees(payload: &[u8]) {
    let facts = response::read(payload);
    if facts.flags & flag::PINS != 0 {
        return;
    }
    let mut headers = [EMPTY_HEADER; 128];
    let mut reference = httparse::Response::new(&mut headers);
    let read = reference.parse(payload);
    assert_eq!(read, Ok(Status::Complete(facts.head as usize)));
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
}

/// Parts that make heads of every kind when put together.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z][-A-Za-z0-9_.]{0,30}: ?[ -~]{0,60}\r\n",
        2 => "(?i)content-length: ?(0|[1-9][0-9]{0,13})\r\n",
        1 => "(?i)content-length[ \t:]{0,3}[-+0-9x, ]{0,20}\r?\n?",
        1 => "(?i)transfer-encoding: (chunked|gzip|CHUNKED|[ -~]{0,9})\r\n",
        1 => "(?i)connection: (close|keep-alive|upgrade|[ -~]{0,9})(, ?(close|keep-alive|TE))?\r\n",
        1 => "(?i)(expect|upgrade|trailer|x-forwarded-for|x-forwarded-host): [ -~]{0,20}\r\n",
        1 => "[\r\n\t :]{1,3}",
    ]
}

/// A start line, parts, an end and what comes behind, with a byte changed now and then.
fn head(first: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let lines = proptest::collection::vec(part(), 0..8);
    let change = proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    (first, lines, "[ -~\r\n]{0,30}", change).prop_map(|(first, lines, rest, change)| {
        let mut bytes = format!("{first}{}\r\n{rest}", lines.concat()).into_bytes();
        if let Some((at, byte)) = change {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn of_requests_nothing_is_certain_that_another_reader_sees_otherwise(
        bytes in head("(GET|POST|HEAD|CONNECT|PUT) (/function/[a-z]{1,12}|/[!-~]{0,20}|\\*) HTTP/1\\.[01]\r\n"),
    ) {
        request_agrees(&bytes);
    }

    #[test]
    fn of_answers_nothing_is_certain_that_another_reader_sees_otherwise(
        bytes in head("HTTP/1\\.[01] (200|204|304|100|404|[0-9]{3}) ?[ -~]{0,12}\r\n"),
    ) {
        response_agrees(&bytes);
    }

    #[test]
    fn no_bytes_make_a_reader_stumble(bytes: Vec<u8>, words: Vec<u64>, length in 0..=LOOK) {
        request_agrees(&bytes);
        response_agrees(&bytes);
        // Not even where the zeros are missing.
        let mut look = Look::EMPTY;
        look.words.iter_mut().zip(words.iter().cycle()).for_each(|(to, from)| *to = *from);
        let mut requests = request::RequestHead::new(length);
        let mut responses = response::ResponseHead::new(length);
        for _ in 0..crate::http::STEPS {
            requests.step(&look);
            responses.step(&look);
        }
        prop_assert!(requests.facts().head <= length && responses.facts().head <= length);
    }

    #[test]
    fn plain_requests_are_always_certain(
        lines in proptest::collection::vec("X-[A-Za-z][-A-Za-z0-9]{0,30}: [ -~]{0,50}\r\n", 0..8),
        length in 0u64..1_000_000,
        at in 0usize..8,
        path in "/[!-~]{0,60}",
    ) {
        let mut lines = lines;
        lines.retain(|line| !line.to_ascii_lowercase().starts_with("x-forwarded-for:"));
        lines.insert(at.min(lines.len()), format!("Content-Length: {length}\r\n"));
        let head = format!("POST {path} HTTP/1.1\r\n{}\r\n", lines.concat());
        let facts = request(&head);
        prop_assert_eq!((facts.head as usize, facts.body, facts.flags), (head.len(), length, 0), "{}", head);
    }

    #[test]
    fn invocations_are_those_that_the_reader_of_request_lines_understands(
        start in "(GET|POST|get|G3T|AMETHODOFTWENTYBYTES|AMETHODOFTWENTYONEXXX) ?",
        form in "|https?://|HTTP://",
        host in "[a-z0-9.:]{0,12}",
        path in "/(async-)?(function|functio|functions|x)/[-a-zA-Z_0-9.%]{0,70}[ /?][ -~]{0,30}",
        cut in 0usize..160,
    ) {
        let line = if form.is_empty() { format!("{start}{path}") } else { format!("{start}{form}{host}{path}") };
        let text = &line.as_bytes()[..cut.min(line.len())];
        let (wanted, name) = line::read(text);
        let read = request::read(text);
        let found = read.outcome() == Outcome::Invocation;
        prop_assert_eq!(found, wanted == Outcome::Invocation, "{}", String::from_utf8_lossy(text));
        if found {
            prop_assert_eq!(read.name, name);
        }
    }
}
