//! The line that names the client, put into heads: another reader finds one header more, and all others as they were.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dfaas_common::address::{from_bytes, mapped};
use dfaas_common::forwarded::write;
use dfaas_common::http::fields::MAX_LINES;
use dfaas_common::http::look::LOOK;
use dfaas_common::http::{flag, request};
use httparse::{EMPTY_HEADER, Status};

use crate::input::Input;

/// All header lines of a head, as another reader sees them.
fn lines(head: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut headers = [EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut headers);
    assert_eq!(request.parse(head), Ok(Status::Complete(head.len())), "a head: {}", head.escape_ascii());
    request.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect()
}

/// Any request and any client.
///
/// # Panics
/// If the new head is not the old one with one line more.
pub fn forwarded(data: &[u8]) {
    let mut input = Input(data);
    let (four, bytes) = (input.byte() & 1 == 0, input.array::<16>());
    let [a, b, c, d, ..] = bytes;
    let (client, address) = if four {
        (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), mapped(u32::from_ne_bytes([a, b, c, d])))
    } else {
        (IpAddr::V6(Ipv6Addr::from(bytes)), from_bytes(bytes))
    };
    let mut line = [0xff; 64];
    let length = write(&mut line, &address) as usize;
    let client = client.to_canonical();
    let text = String::from_utf8_lossy(&line[..length]).into_owned();
    assert!(length.is_multiple_of(2) && line[length..].iter().all(|byte| *byte == 0), "{text:?}");

    let facts = request::read(input.0).facts();
    if facts.flags & (flag::PINS | flag::FORWARDED_FOR) != 0 {
        return;
    }
    let (head, at) = (&input.0[..facts.head as usize], facts.headers_at as usize);
    let before = lines(head);
    let new = [&head[..at], text.as_bytes(), &head[at..]].concat();
    let after = lines(&new);
    assert_eq!(after[1..], before, "all others are as they were");
    let value = String::from_utf8_lossy(&after[0].1).into_owned();
    assert_eq!(after[0].0, "X-Forwarded-For");
    assert_eq!(value.trim_end().parse::<IpAddr>().map(|read| read.to_canonical()), Ok(client), "{value:?}");
    if new.len() <= LOOK as usize && before.len() < MAX_LINES as usize {
        let read = request::read(&new).facts();
        assert_eq!(
            (read.head as usize, read.body, read.headers_at),
            (new.len(), facts.body, facts.headers_at)
        );
        assert_eq!(read.flags, facts.flags | flag::FORWARDED_FOR);
    }
}
