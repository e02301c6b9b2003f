//! The tracker of requests and answers against a reader of the whole streams.
//!
//! The input is what client and server send, and the order in which their segments pass: new ones, old ones again, cut
//! anew, and some that are lost before. Whatever the tracker calls a boundary must be one for the reader, which sees all.

use dfaas_common::http::exchange::{Answer, Data, Exchange, Verdict};
use dfaas_common::http::request;
use httparse::{EMPTY_HEADER, Status};

use crate::chunks::step;
use crate::input::Input;
use crate::meaning::{Meaning, meaning};

/// Most segments of one run.
const SEGMENTS: usize = 200;

/// Where messages of a stream end, in their order, as far as that is certain to anybody.
struct Ends(Vec<usize>);

/// Bytes of a body, by what the head says.
fn body(says: &Meaning, rest: &[u8]) -> Option<usize> {
    if says.doubtful && (says.chunked || says.length.is_none()) {
        // Where readers disagree nothing is certain.
        return None;
    }
    if !says.chunked {
        return usize::try_from(says.length.unwrap_or(0)).ok();
    }
    let mut at = 0;
    loop {
        let Ok(Status::Complete((line, size))) = httparse::parse_chunk_size(rest.get(at..)?) else {
            return None;
        };
        at = at.checked_add(line)?.checked_add(usize::try_from(size).ok()?)?;
        if rest.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
        if size == 0 {
            return Some(at);
        }
    }
}

/// The requests of a stream: their ends, and which are HEAD.
fn requests(stream: &[u8]) -> (Ends, Vec<bool>) {
    let (mut ends, mut heads, mut at) = (Vec::new(), Vec::new(), 0usize);
    loop {
        let mut headers = [EMPTY_HEADER; 128];
        let mut head = httparse::Request::new(&mut headers);
        let Some(Ok(Status::Complete(length))) = stream.get(at..).map(|rest| head.parse(rest)) else { break };
        let says = meaning(head.headers);
        let Some(body) = body(&says, &stream[at + length..]) else { break };
        let Some(end) = at.checked_add(length).and_then(|at| at.checked_add(body)) else { break };
        at = end;
        ends.push(at);
        heads.push(head.method == Some("HEAD"));
    }
    (Ends(ends), heads)
}

/// The final answers of a stream.
fn answers(stream: &[u8], heads: &[bool]) -> Ends {
    let (mut ends, mut at) = (Vec::new(), 0usize);
    loop {
        let mut headers = [EMPTY_HEADER; 128];
        let mut head = httparse::Response::new(&mut headers);
        let Some(Ok(Status::Complete(length))) = stream.get(at..).map(|rest| head.parse(rest)) else { break };
        let code = head.code.unwrap_or(0);
        let says = meaning(head.headers);
        let bodiless = heads.get(ends.len()) == Some(&true) || code < 200 || [204, 304].contains(&code);
        let ends_with_connection = !bodiless && !says.chunked && says.length.is_none();
        if code == 101 || ends_with_connection {
            break;
        }
        let body = if bodiless { Some(0) } else { body(&says, &stream[at + length..]) };
        let Some(end) = body.and_then(|body| at.checked_add(length)?.checked_add(body)) else { break };
        at = end;
        if code >= 200 {
            ends.push(at);
        }
    }
    Ends(ends)
}

/// One direction: what has passed us.
struct Way<'a> {
    stream: &'a [u8],
    first: u32,
    /// End of what has been sent.
    sent: usize,
    /// Pieces that have passed.
    passed: Vec<(usize, usize)>,
    /// All up to here has passed, so that the other end may acknowledge it.
    whole: usize,
    /// What the other end has acknowledged.
    acknowledged: usize,
}

impl<'a> Way<'a> {
    const fn new(stream: &'a [u8], first: u32) -> Self {
        Self { stream, first, sent: 0, passed: Vec::new(), whole: 0, acknowledged: 0 }
    }

    /// The next segment: new data, or some of what was sent before.
    fn next(&mut self, input: &mut Input<'_>, again: bool) -> (usize, &'a [u8]) {
        let (from, to) = if again {
            let from = input.up_to(self.sent);
            (from, from + input.up_to(self.sent - from))
        } else {
            let left = self.stream.len() - self.sent;
            // As much as there is, or a part.
            let size = match input.byte() {
                0 => left,
                size => usize::from(size) * 6,
            };
            (self.sent, self.sent + size.min(left).min(1448))
        };
        self.sent = self.sent.max(to);
        (from, &self.stream[from..to])
    }

    fn pass(&mut self, from: usize, bytes: &[u8]) {
        self.passed.push((from, from + bytes.len()));
        while let Some((_, to)) =
            self.passed.iter().find(|(from, to)| *from <= self.whole && *to > self.whole)
        {
            self.whole = *to;
        }
    }

    fn acknowledge(&mut self, input: &mut Input<'_>) {
        let more = self.whole - self.acknowledged;
        self.acknowledged += if input.byte() == 0 { more } else { input.up_to(more) };
    }

    const fn sequence(&self, at: usize) -> u32 {
        self.first.wrapping_add(at as u32)
    }
}

/// Runs a connection.
///
/// # Panics
/// If a boundary or an answer's end is none for the reader.
pub fn exchange(data: &[u8]) {
    let mut input = Input(data);
    let (first, schedule) = ((input.word(), input.word()), input.up_to(400));
    let schedule = input.take(schedule);
    let asked = usize::from(input.short());
    let (client, server) = (input.take(asked), input.0);
    let (requests, heads) = requests(client);
    let answers = answers(server, &heads);
    let (mut up, mut down) = (Way::new(client, first.0), Way::new(server, first.1));
    let mut tracker = Exchange::default();
    let mut backend_acked = 0;
    let mut input = Input(schedule);
    for _ in 0..SEGMENTS {
        if input.is_empty() {
            return;
        }
        let op = input.byte();
        let (again, lost) = (op & 0x40 != 0, op & 0x80 != 0);
        match op % 4 {
            0 => {
                let (at, segment) = up.next(&mut input, again);
                if lost || segment.is_empty() {
                    continue;
                }
                let (sequence, length) = (up.sequence(at), segment.len() as u32);
                let acknowledgment = down.sequence(down.acknowledged);
                let side = &mut tracker.client;
                let begun = side.asked.exchange() != 0;
                if !begun && at != 0 {
                    // Nothing is known of a connection before its first segment.
                    continue;
                }
                let what =
                    side.data(sequence, acknowledgment, up.sequence(backend_acked), tracker.backend.answered);
                if what == Data::Request {
                    let before = requests.0.iter().position(|end| *end == at);
                    let before =
                        before.unwrap_or_else(|| panic!("no request ends at {at}: {:?}", requests.0));
                    assert_eq!(answers.0.get(before), Some(&down.acknowledged), "its answer has all come");
                    assert!(backend_acked >= at, "the backend has all of it");
                }
                let verdict = if what == Data::Request || !begun {
                    side.on_request(sequence, acknowledgment, length, &request::read(segment).facts())
                } else {
                    side.client_segment(sequence, length)
                };
                up.pass(at, segment);
                if verdict == Verdict::Pin {
                    return;
                }
            }
            1 => {
                let (at, segment) = down.next(&mut input, again);
                if lost {
                    continue;
                }
                backend_acked = backend_acked.max(up.acknowledged);
                let said = step(&mut tracker.backend, down.sequence(at), segment, tracker.client.asked);
                down.pass(at, segment);
                let answered = tracker.backend.answered;
                if answered.exchange() != 0 {
                    let end = answers.0.get(answered.exchange() as usize - 1);
                    let end =
                        end.unwrap_or_else(|| panic!("no answer {}: {:?}", answered.exchange(), answers.0));
                    assert_eq!(answered.sequence(), down.sequence(*end), "the end of an answer");
                }
                if said == Answer::Pin {
                    return;
                }
            }
            2 => up.acknowledge(&mut input),
            _ => down.acknowledge(&mut input),
        }
    }
}
