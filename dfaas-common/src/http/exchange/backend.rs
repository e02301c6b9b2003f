//! The backend's side: answers.

use super::{Milestone, after};
use crate::http::chunk::{Chunk, chunk_line, next_chunk_line};
use crate::http::response::ResponseFacts;
use crate::http::{LONGEST_MESSAGE, flag};

/// What is to be done about a segment of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// An answer begins with the first byte: read its head, then call [`BackendSide::on_response`].
    Head,
    /// A chunk line, or the rest of one, is at this offset of the payload: call [`BackendSide::on_chunk`] with the bytes
    /// from there on. Who does not, because there are too many in the segment, must pin.
    Chunk {
        /// Offset in the payload, bytes.
        at: u32,
    },
    /// The last byte of an answer has passed; said once for each.
    Done,
    /// The connection stays with its backend for good.
    Pin,
}

mod phase {
    /// Waiting for the head.
    pub const HEAD: u32 = 0;
    /// Waiting for the first chunk line.
    pub const FIRST_CHUNK: u32 = 1;
    /// Waiting for the end of a chunk and the next line.
    pub const CHUNK: u32 = 2;
    /// The end is known.
    pub const ENDED: u32 = 3;
}

/// What is known of the answers; written only where packets of the backend are handled.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackendSide {
    /// The last exchange whose answer's end is known, and the sequence number after its last byte.
    pub answered: Milestone,
    /// Start of a chunk line whose rest is to come in another segment, the first byte lowest.
    held: [u64; 2],
    /// Number of bytes in `held`.
    held_bytes: u32,
    /// Number of the exchange that all below is about.
    exchange: u32,
    /// One of [`phase`].
    phase: u32,
    /// Sequence number of the next byte to be read: of a head or a chunk line.
    next: u32,
    /// Highest sequence number that data have come up to.
    seen: u32,
    /// The last exchange that was reported as done.
    done: u32,
}

impl BackendSide {
    /// A segment of the backend; `asked` is [`super::ClientSide::asked`].
    #[inline(always)]
    pub fn backend_segment(&mut self, sequence: u32, payload: u32, asked: Milestone) -> Answer {
        if payload == 0 {
            return Answer::Nothing;
        }
        if asked.exchange() == 0 {
            return Answer::Pin;
        }
        if self.exchange != asked.exchange() {
            // A request is recorded only once the answer before it is complete.
            if self.answered.exchange().wrapping_add(1) != asked.exchange() {
                return Answer::Pin;
            }
            self.exchange = asked.exchange();
            self.phase = phase::HEAD;
            self.next = asked.sequence();
            self.seen = asked.sequence();
            self.held_bytes = 0;
        }
        let end = sequence.wrapping_add(payload);
        if after(end, self.seen) {
            self.seen = end;
        }
        match self.phase {
            phase::HEAD if sequence == self.next => Answer::Head,
            // What straddles the start cannot be read. Data before it are old; those behind wait for the head.
            phase::HEAD if after(self.next, sequence) && after(end, self.next) => Answer::Pin,
            phase::HEAD => Answer::Nothing,
            phase::ENDED => self.passed(),
            _ => self.find(sequence, payload).unwrap_or(Answer::Nothing),
        }
    }

    /// The head at the start of a segment has been read.
    #[inline(always)]
    pub fn on_response(&mut self, sequence: u32, payload: u32, facts: &ResponseFacts) -> Answer {
        if self.phase != phase::HEAD || sequence != self.next {
            return Answer::Nothing;
        }
        let length = facts.head as u64 + facts.body;
        if facts.flags & flag::PINS != 0 || facts.head == 0 || length > LONGEST_MESSAGE {
            return Answer::Pin;
        }
        self.next = sequence.wrapping_add(length as u32);
        if facts.flags & flag::CHUNKED == 0 {
            return self.ends();
        }
        self.phase = phase::FIRST_CHUNK;
        self.go_on(sequence, payload)
    }

    /// The next bytes of the chunk line that [`Answer::Chunk`] gave the place of: `count` of them, 16 or as many as the
    /// segment has, the first one lowest, zeros behind.
    #[inline(always)]
    pub fn on_chunk(&mut self, sequence: u32, payload: u32, bytes: [u64; 2], count: u32) -> Answer {
        let held = self.held_bytes;
        let bytes = join(self.held, held, bytes);
        let start = self.next.wrapping_sub(held);
        let line = match self.phase {
            phase::FIRST_CHUNK => chunk_line(bytes, held + count),
            phase::CHUNK => next_chunk_line(bytes, held + count),
            _ => Chunk::Invalid,
        };
        match line {
            Chunk::Data { line, size } if size <= LONGEST_MESSAGE => {
                self.phase = phase::CHUNK;
                self.held_bytes = 0;
                self.next = start.wrapping_add(line).wrapping_add(size as u32);
                self.go_on(sequence, payload)
            }
            Chunk::Last { line } => {
                self.next = start.wrapping_add(line);
                self.ends()
            }
            Chunk::Incomplete => {
                self.held = bytes;
                self.held_bytes = held + count;
                self.next = self.next.wrapping_add(count);
                self.go_on(sequence, payload)
            }
            _ => Answer::Pin,
        }
    }

    /// The place of the next line, if it is in this segment.
    #[inline(always)]
    fn find(&self, sequence: u32, payload: u32) -> Option<Answer> {
        let at = self.next.wrapping_sub(sequence);
        if at < payload { Some(Answer::Chunk { at }) } else { None }
    }

    /// After a step within a segment: the next line is here too, or still to come. In data that came before this segment
    /// it would have been missed.
    #[inline(always)]
    fn go_on(&self, sequence: u32, payload: u32) -> Answer {
        match self.find(sequence, payload) {
            Some(here) => here,
            None if after(self.seen, self.next) => Answer::Pin,
            None => Answer::Nothing,
        }
    }

    /// The answer ends at `next`.
    #[inline(always)]
    fn ends(&mut self) -> Answer {
        if after(self.seen, self.next) {
            return Answer::Pin;
        }
        self.phase = phase::ENDED;
        self.answered = Milestone::new(self.exchange, self.next);
        self.passed()
    }

    /// Data have come while the end is known.
    #[inline(always)]
    fn passed(&mut self) -> Answer {
        if after(self.seen, self.next) {
            return Answer::Pin;
        }
        if self.seen != self.next || self.done == self.exchange {
            return Answer::Nothing;
        }
        self.done = self.exchange;
        Answer::Done
    }
}

/// `count` bytes (0 to 13), and others behind them.
#[inline(always)]
const fn join(held: [u64; 2], count: u32, more: [u64; 2]) -> [u64; 2] {
    let shift = count << 3;
    if count == 0 {
        more
    } else if count < 8 {
        [held[0] | more[0] << shift, more[0] >> (64 - shift) | more[1] << shift]
    } else {
        [held[0], held[1] | more[0] << (shift & 63)]
    }
}
