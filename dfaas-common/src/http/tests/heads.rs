//! What well-behaved programs send.

use super::*;
use crate::http::look::{LOOK, Look};
use crate::http::{STEPS, request::RequestHead, response::status_of};
use crate::plan::name_key;
use crate::request::Outcome;

const GO: &str = "POST /function/figlet HTTP/1.1\r\nHost: 192.0.2.10:8080\r\nUser-Agent: Go-http-client/1.1\r\n\
    Content-Length: 5\r\nContent-Type: text/plain\r\nAccept-Encoding: gzip\r\n\r\n";
const PYTHON: &str = "POST /function/figlet HTTP/1.1\r\nHost: 192.0.2.10:8080\r\nUser-Agent: python-requests/2.32.3\r\n\
    Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n";
const CURL: &str = "GET /function/figlet HTTP/1.1\r\nHost: 192.0.2.10:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
const WRK: &str = "GET /function/figlet HTTP/1.1\r\nHost: 192.0.2.10:8080\r\n\r\n";
const HEY: &str = "POST /function/figlet HTTP/1.1\r\nHost: 192.0.2.10:8080\r\nUser-Agent: hey/0.0.1\r\n\
    Content-Length: 1024\r\nContent-Type: text/html\r\nAccept-Encoding: gzip\r\n\r\n";
const CHROME: &str = "POST /function/qrcode.openfaas-fn?size=3 HTTP/1.1\r\nHost: gateway.example.org:8080\r\n\
    Connection: keep-alive\r\nContent-Length: 21\r\nCache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n\
    Origin: http://gateway.example.org:8080\r\nContent-Type: application/x-www-form-urlencoded\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Referer: http://gateway.example.org:8080/\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n";
const FIREFOX: &str = "GET /function/figlet HTTP/1.1\r\nHost: gateway:8080\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nPriority: u=0, i\r\n\r\n";
const NODE: &str = "POST /function/figlet HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
    Host: gateway:8080\r\nConnection: close\r\n\r\n";
const PROXY: &str = "POST /async-function/figlet HTTP/1.1\r\nhost: gateway\r\nx-forwarded-for: 203.0.113.7\r\n\
    x-forwarded-host: example.org\r\ncontent-length: 0\r\nx_odd.name-1: yes\r\n\r\n";

#[test]
fn requests_of_common_clients_are_understood_to_their_end() {
    for (head, name, body, flags) in [
        (GO, "figlet", 5, 0),
        (PYTHON, "figlet", 5, 0),
        (CURL, "figlet", 0, 0),
        (WRK, "figlet", 0, 0),
        (HEY, "figlet", 1024, 0),
        (CHROME, "qrcode.openfaas-fn", 21, 0),
        (FIREFOX, "figlet", 0, 0),
        (NODE, "figlet", 2, flag::CLOSES),
        (PROXY, "figlet", 0, flag::FORWARDED_FOR),
    ] {
        let read = request::read(format!("{head}hello").as_bytes());
        let headers_at = head.find('\n').expect("a request line") as u32 + 1;
        let facts = RequestFacts { body, head: head.len() as u32, headers_at, flags, padding: 0 };
        assert_eq!(read.facts(), facts, "{head}");
        assert_eq!(read.outcome(), Outcome::Invocation, "{head}");
        assert_eq!(Some(read.name), name_key(name), "{head}");
    }
}

#[test]
fn a_request_that_is_no_invocation_has_an_end_too() {
    let head = "GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n";
    let read = request::read(head.as_bytes());
    assert_eq!(
        (read.outcome(), read.facts().head, read.facts().flags),
        (Outcome::Other, head.len() as u32, 0)
    );
}

#[test]
fn a_head_that_is_cut_anywhere_is_incomplete_and_pins_whatever_the_look_held_before() {
    for head in [GO, PYTHON, CHROME, NODE] {
        for cut in 0..head.len() {
            let (mut look, length) = Look::of(&head.as_bytes()[..cut]);
            // Beyond the eight zeros lies the rest of another packet.
            let rest = cut.div_ceil(8) + 1;
            look.words[rest..].fill(u64::from_ne_bytes(*b"x\r\n\r\n\r\n\r"));
            let mut read = RequestHead::new(length);
            assert!((0..STEPS).any(|_| !read.step(&look)), "it ends");
            let facts = read.facts();
            assert_eq!((facts.head, facts.flags & flag::PINS), (0, flag::PINS), "{}", &head[..cut]);
        }
    }
}

#[test]
fn a_head_ends_within_the_bytes_that_there_are_even_if_others_lie_behind_them() {
    let (look, length) = Look::of(GO.as_bytes());
    let mut read = RequestHead::new(length - 1);
    assert!((0..STEPS).any(|_| !read.step(&look)), "it ends");
    assert_eq!(read.facts().head, 0);
}

#[test]
fn what_is_no_invocation_for_the_reader_of_request_lines_is_none_here() {
    for line in [
        "GET /function/ HTTP/1.1",
        "GET /function//x HTTP/1.1",
        "GET /function/?x HTTP/1.1",
        "GET / HTTP/1.1",
    ] {
        let read = request::read(format!("{line}\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!((read.outcome(), read.facts().flags), (Outcome::Other, 0), "{line}");
    }
}

#[test]
fn names_of_up_to_63_bytes_are_read_and_longer_ones_are_none() {
    for length in [1, 7, 8, 9, 62, 63, 64, 65, 71, 72, 80, 200] {
        let name = "x".repeat(length);
        let read = request::read(format!("GET /function/{name} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        if length < 64 {
            assert_eq!((read.outcome(), Some(read.name)), (Outcome::Invocation, name_key(&name)), "{length}");
        } else {
            assert_eq!(read.outcome(), Outcome::Other, "{length}");
        }
        assert_eq!(read.facts().flags, 0, "{length}");
    }
}

#[test]
fn what_goes_beyond_a_look_is_incomplete() {
    let fits = with(&format!("X-Long: {}\r\n", "x".repeat(LOOK as usize - with("X-Long: \r\n").len())));
    assert_eq!((request(&fits).head, request_pins(&fits)), (LOOK, false));
    let longer = fits.replacen('x', "xx", 1);
    assert_eq!((request(&longer).head, request_pins(&longer)), (0, true));
    assert!(request(&longer).headers_at > 0);
}

#[test]
fn sixty_four_header_lines_are_read_and_no_more() {
    // `with` adds one.
    assert_eq!(request(&with(&"A: b\r\n".repeat(63))).head as usize, with(&"A: b\r\n".repeat(63)).len());
    assert!(request_pins(&with(&"A: b\r\n".repeat(64))));
}

#[test]
fn lengths_up_to_a_tebibyte_are_read() {
    for (value, body) in [("0", 0), ("9", 9), ("1234567890", 1_234_567_890), ("1099511627776", 1 << 40)] {
        let facts = request(&with(&format!("Content-Length:{value}\r\n")));
        assert_eq!((facts.body, facts.flags), (body, 0), "{value}");
    }
}

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Date: Tue, 07 Jul 2026 10:00:00 GMT\r\nX-Call-Id: 2f1d4ac0-8f36-4a4b-9d71-2b6b1a0f1a77\r\n\
    X-Duration-Seconds: 0.004512\r\nX-Served-By: openfaas-ce/0.27.9\r\nX-Start-Time: 1783418400000000000\r\n\r\n";

#[test]
fn answers_of_the_gateway_are_understood_to_their_end() {
    let chunked = ANSWER.replace("Content-Length: 11", "Transfer-Encoding: chunked");
    let not_found = ANSWER.replace("200 OK", "404 Not Found").replace("11", "0");
    let closes = ANSWER.replace("Content-Type: text/plain; charset=utf-8", "Connection: close");
    for (head, status, body, flags) in [
        (ANSWER, 200, 11, 0),
        (&chunked, 200, 0, flag::CHUNKED),
        (&not_found, 404, 0, 0),
        (&closes, 200, 11, flag::CLOSES),
        ("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n", 204, 0, 0),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, 0, 0),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\nETag: \"x\"\r\n\r\n", 304, 0, 0),
        ("HTTP/1.1 502 \r\ncontent-length: 3\r\n\r\n", 502, 3, 0),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n", 200, 0, flag::CHUNKED),
    ] {
        let facts = response::read(format!("{head}hello").as_bytes());
        let wanted =
            response::ResponseFacts { body, head: head.len() as u32, flags, status, padding: [0; 3] };
        assert_eq!(facts, wanted, "{head}");
    }
}

#[test]
fn an_answer_whose_head_is_cut_anywhere_is_incomplete_and_pins() {
    for cut in 0..ANSWER.len() {
        let facts = response::read(&ANSWER.as_bytes()[..cut]);
        assert_eq!((facts.head, facts.flags & flag::PINS), (0, flag::PINS), "{}", &ANSWER[..cut]);
    }
}

#[test]
fn a_status_is_read_from_the_first_sixteen_bytes_or_not_at_all() {
    let status = |text: &str| status_of(&Look::of(text.as_bytes()).0);
    assert_eq!(status("HTTP/1.1 503 Ser"), 503);
    assert_eq!(status("HTTP/1.0 200 OK\r"), 200);
    for text in [
        "HTTP/1.1 99 x",
        "HTTP/1.1 600 x",
        "HTTP/1.1 2x0 OK",
        "HTTP/2.0 200 OK",
        "hello",
        "",
        "HTTP/1.1  200",
    ] {
        assert_eq!(status(text), 0, "{text}");
    }
}
