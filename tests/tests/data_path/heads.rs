//! Requests cut into segments in all sorts of ways.

use std::time::Duration;

use crate::raw::raw;
use crate::site::{Plan, Site};

/// A request for `echo` with a body and further headers of so many bytes.
fn request(headers: usize, body: &str) -> String {
    let cookie = "c".repeat(headers);
    let length = body.len();
    format!(
        "POST /function/echo HTTP/1.1\r\nHost: node\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn check(answer: &str, body: &str, node: u8, what: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{what}: {answer}");
    assert!(answer.contains(&format!("dfaas-node: node-{node}")), "{what}: {answer}");
    assert!(answer.ends_with(&format!("{body}\nclosed")), "{what}: {answer}");
}

#[test]
fn a_request_is_understood_however_it_is_cut_after_its_first_line() {
    let site = Site::new(&Plan::all_to_a_peer());
    let text = "all of the body";
    // Up to several segments of head, and what fills the first segment to the last byte.
    for headers in [0, 1, 1_300, 1_340, 1_341, 1_342, 1_343, 1_400, 3_000, 9_000] {
        let whole = request(headers, text);
        let head = whole.len() - text.len();
        for cut in [30, 31, 100, head - 1, head, head + 1, whole.len()] {
            let (first, rest) = whole.as_bytes().split_at(cut);
            let pieces = [first, rest];
            // At once: the second segment may come while the peer is being opened.
            let answer = site.client(|| raw(&site, Duration::ZERO, &pieces));
            check(&answer, text, 2, &format!("{headers} bytes of headers, cut at {cut}"));
        }
    }
}

#[test]
fn a_request_byte_by_byte_goes_to_the_local_gateway_whole() {
    let site = Site::new(&Plan::all_to_a_peer());
    let whole = request(10, "abc");
    let bytes: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    let answer = site.client(|| raw(&site, Duration::from_millis(1), &bytes));
    check(&answer, "abc", 1, "byte by byte");
    assert_eq!((site.bound_to("local"), site.bound_to("node-2")), (1.0, 0.0));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = Site::new(&Plan::all_to_a_peer());
    let mut requests = Vec::new();
    for n in 0..40 {
        let text = format!("number {n}");
        let head =
            format!("POST /function/echo HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n", text.len());
        requests.push(format!("{head}\r\n{text}"));
    }
    let last =
        "POST /function/echo HTTP/1.1\r\nHost: node\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast";
    requests.push(last.to_owned());
    // Far more than the first window: in one write, and in two of which the first ends in the middle of a head.
    let all = requests.concat();
    for pieces in [vec![all.as_bytes()], vec![&all.as_bytes()[..210], &all.as_bytes()[210..]]] {
        let answers = site.client(|| raw(&site, Duration::ZERO, &pieces));
        let bodies =
            answers.match_indices("number ").map(|(at, _)| answers[at + 7..].lines().next().unwrap());
        let numbers: Vec<_> =
            bodies.map(|text| text.trim_end_matches(|c: char| !c.is_ascii_digit())).collect();
        let numbers: Vec<String> =
            numbers.iter().map(|text| text.chars().take_while(char::is_ascii_digit).collect()).collect();
        assert_eq!(numbers, (0..40).map(|n| n.to_string()).collect::<Vec<_>>(), "{answers}");
        assert!(answers.ends_with("last\nclosed"), "{answers}");
        assert_eq!(answers.to_ascii_lowercase().matches("dfaas-node: node-2").count(), 41);
    }
}
