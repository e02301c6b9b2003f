//! A client and a server that exchange random requests and answers over a network that loses, repeats and reorders
//! segments before and behind the point where we look. Soundness: what we call a boundary is one. Liveness: in plain
//! traffic every boundary is seen.

mod stream;

use proptest::prelude::*;

use self::stream::{Numbers, PLAIN, Segment, Stream, Trouble};
use super::*;
use crate::http::{request, response};

/// A body that looks like requests, or like answers and chunk lines, wherever it is cut.
fn body(numbers: &mut Numbers, length: usize) -> Vec<u8> {
    const TEXTS: [&str; 4] = [
        "POST /function/x HTTP/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "0\r\n\r\n",
        "\r\n5\r\nhello\r\n",
    ];
    (0..).flat_map(|_| TEXTS[numbers.below(4)].bytes()).take(length).collect()
}

fn length(numbers: &mut Numbers) -> usize {
    match numbers.below(4) {
        0 => 0,
        1 => numbers.below(50),
        2 => numbers.below(3000),
        _ => numbers.below(9000),
    }
}

/// What the model knows and what we know.
struct Run {
    numbers: Numbers,
    trouble: Trouble,
    client: Stream,
    server: Stream,
    first: (u32, u32),
    exchange: Exchange,
    /// Highest acknowledgment of the backend that we have seen.
    backend_acked: usize,
    /// Highest end of the backend's data that we have seen.
    seen: usize,
    /// Answers that were reported as done.
    done: usize,
    /// Boundaries that were found.
    found: usize,
}

impl Run {
    fn new(seed: u64, trouble: Trouble) -> Self {
        let mut numbers = Numbers(seed);
        let first = (numbers.next() as u32, numbers.next() as u32);
        let (mut client, mut server) = (Stream::default(), Stream::default());
        for i in 0..2 + numbers.below(6) {
            let size = length(&mut numbers);
            let asked = body(&mut numbers, size);
            client.push(&format!("POST /function/f{i} HTTP/1.1\r\nContent-Length: {size}\r\n\r\n"), &asked);
            let size = length(&mut numbers);
            let answer = body(&mut numbers, size);
            match numbers.below(3) {
                0 => {
                    let mut chunks = Vec::new();
                    let mut rest = &answer[..];
                    while !rest.is_empty() {
                        let (chunk, others) = rest.split_at((1 + numbers.below(2000)).min(rest.len()));
                        chunks.extend(format!("{:x}\r\n", chunk.len()).bytes());
                        chunks.extend(chunk);
                        chunks.extend(b"\r\n");
                        rest = others;
                    }
                    chunks.extend(b"0\r\n\r\n");
                    server.push("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunks);
                }
                1 => server.push("HTTP/1.1 204 No Content\r\n\r\n", b""),
                _ => server.push(&format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"), &answer),
            }
        }
        Self {
            numbers,
            trouble,
            client,
            server,
            first,
            exchange: Exchange::default(),
            backend_acked: 0,
            seen: 0,
            done: 0,
            found: 0,
        }
    }

    /// How far each side may send: the client up to the request whose turn it is, the server up to its answer.
    fn limits(&mut self) -> (usize, usize) {
        let answered = self.server.ends.iter().filter(|end| **end <= self.server.received).count();
        let early = if self.numbers.chance(self.trouble.pipelines) { 1 + self.numbers.below(2) } else { 0 };
        let ask = (answered + early).min(self.client.ends.len() - 1);
        let asked = self.client.ends.iter().filter(|end| **end <= self.client.received).count();
        let started = self.client.heads.iter().filter(|end| **end <= self.client.received).count();
        let mut may = if self.numbers.chance(self.trouble.hurries) { started } else { asked };
        if may > 0 && self.numbers.chance(self.trouble.babbles) {
            may = (may + 1).min(self.server.ends.len());
        }
        let answer = if may == 0 { 0 } else { self.server.ends[may - 1] };
        (self.client.ends[ask].max(self.client.sent), answer.max(self.server.sent))
    }

    /// One thing happens; what we say of it.
    fn step(&mut self) -> Verdict {
        let trouble = self.trouble;
        let (may_ask, may_answer) = self.limits();
        match self.numbers.below(6) {
            0 => {
                let acknowledges = self.server.received;
                self.client.send(&mut self.numbers, may_ask, acknowledges, trouble);
            }
            1 => {
                let acknowledges = self.client.received;
                self.server.send(&mut self.numbers, may_answer, acknowledges, trouble);
            }
            2 => {
                if let Some(s) = Stream::take(&mut self.client.before, &mut self.numbers, trouble.overtaken)
                    && !self.numbers.chance(trouble.lost_before)
                {
                    return self.client_sends(s);
                }
            }
            3 => {
                if let Some(s) = Stream::take(&mut self.server.before, &mut self.numbers, trouble.overtaken)
                    && !self.numbers.chance(trouble.lost_before)
                {
                    return self.server_sends(s);
                }
            }
            4 => {
                if let Some(s) = Stream::take(&mut self.client.behind, &mut self.numbers, 0)
                    && !self.numbers.chance(trouble.lost_behind)
                {
                    self.server.acknowledged = self.server.acknowledged.max(s.acknowledges);
                    self.client.receive(&s);
                }
            }
            _ => {
                if let Some(s) = Stream::take(&mut self.server.behind, &mut self.numbers, 0)
                    && !self.numbers.chance(trouble.lost_behind)
                {
                    self.client.acknowledged = self.client.acknowledged.max(s.acknowledges);
                    self.server.receive(&s);
                }
            }
        }
        Verdict::Go
    }

    fn client_sends(&mut self, segment: Segment) -> Verdict {
        let payload = segment.bytes.len() as u32;
        let sequence = self.first.0.wrapping_add(segment.at as u32);
        let acknowledgment = self.first.1.wrapping_add(segment.acknowledges as u32);
        let client = &mut self.exchange.client;
        let mut verdict = Verdict::Go;
        if payload > 0 {
            let acked = self.first.0.wrapping_add(self.backend_acked as u32);
            let boundary =
                client.data(sequence, acknowledgment, acked, self.exchange.backend.answered) == Data::Request;
            if boundary {
                let before = self.client.ends.iter().position(|end| *end == segment.at);
                let before = before.expect("a boundary is where a request ends");
                assert_eq!(segment.acknowledges, self.server.ends[before], "all of the answer has come");
                assert!(self.backend_acked >= segment.at, "the backend has got all of the request");
                self.found = self.found.max(before + 1);
            }
            let first = client.asked.exchange() == 0;
            if first && segment.at != 0 {
                // Nothing is known of a connection until its first segment comes.
                return verdict;
            }
            verdict = if boundary || first {
                let facts = request::read(&segment.bytes).facts();
                client.on_request(sequence, acknowledgment, payload, &facts)
            } else {
                client.client_segment(sequence, payload)
            };
        }
        self.client.behind.push(segment);
        verdict
    }

    fn server_sends(&mut self, segment: Segment) -> Verdict {
        let payload = segment.bytes.len() as u32;
        let sequence = self.first.1.wrapping_add(segment.at as u32);
        self.backend_acked = self.backend_acked.max(segment.acknowledges);
        self.seen = self.seen.max(segment.at + segment.bytes.len());
        let backend = &mut self.exchange.backend;
        let mut answer = backend.backend_segment(sequence, payload, self.exchange.client.asked);
        if answer == Answer::Head {
            answer = backend.on_response(sequence, payload, &response::read(&segment.bytes));
        }
        while let Answer::Chunk { at } = answer {
            let rest = &segment.bytes[at as usize..];
            let count = rest.len().min(16);
            let mut bytes = [0; 16];
            bytes[..count].copy_from_slice(&rest[..count]);
            let (low, high) = bytes.split_at(8);
            let words = [low, high].map(|half| u64::from_ne_bytes(half.try_into().expect("eight bytes")));
            answer = backend.on_chunk(sequence, payload, words, count as u32);
        }
        let answered = backend.answered;
        if answered.exchange() > 0 {
            let end = self.server.ends[answered.exchange() as usize - 1];
            assert_eq!(answered.sequence(), self.first.1.wrapping_add(end as u32), "an answer's end");
        }
        if answer == Answer::Done {
            assert!(self.seen >= self.server.ends[self.done], "the last byte has passed");
            self.done += 1;
            assert_eq!(self.done as u32, answered.exchange(), "once for each answer");
        }
        self.server.behind.push(segment);
        if answer == Answer::Pin { Verdict::Pin } else { Verdict::Go }
    }

    /// Runs until all is over or the connection is pinned.
    fn run(&mut self) -> Verdict {
        for _ in 0..100_000 {
            if self.step() == Verdict::Pin {
                return Verdict::Pin;
            }
            if self.server.received == self.server.bytes.len() {
                return Verdict::Go;
            }
        }
        panic!("the exchange does not come to an end: the model is wrong")
    }
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let often = || prop_oneof![Just(0usize), 0usize..40];
    (often(), often(), often(), any::<bool>(), often(), often(), often()).prop_map(
        |(lost_before, lost_behind, overtaken, cut_anew, pipelines, hurries, babbles)| Trouble {
            lost_before,
            lost_behind,
            overtaken,
            cut_anew,
            pipelines,
            hurries,
            babbles,
        },
    )
}

proptest! {
    #[test]
    fn what_is_called_a_boundary_is_one_whatever_happens(seed: u64, trouble in trouble()) {
        Run::new(seed, trouble).run();
    }

    #[test]
    fn in_plain_traffic_every_boundary_is_seen(seed: u64) {
        let mut run = Run::new(seed, PLAIN);
        prop_assert_eq!(run.run(), Verdict::Go);
        prop_assert_eq!((run.found, run.done), (run.client.ends.len() - 1, run.server.ends.len()));
    }
}
