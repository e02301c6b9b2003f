//! Heads of requests, read in one pass: the function, where the request ends, and whether that is certain.

use super::fields::{CRLF, Fields};
use super::look::Look;
use super::words::{byte, equal, first, first_bytes, not_capital, not_name, not_target, text};
use super::{STEPS, flag};
use crate::opaque::opaque;
use crate::plan::{NAME_BYTES, Name};
use crate::request::Outcome;

/// Longest method, as in [`crate::request`].
const LONGEST_METHOD: u32 = 20;

/// What a request says of its length and of the connection.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestFacts {
    /// Value of `Content-Length`, bytes; 0 if there is none.
    pub body: u64,
    /// Bytes of the head, the empty line included. 0: it is not complete in this segment, or malformed; it pins then.
    pub head: u32,
    /// Offset of the first header line; 0 if the request line is not complete or malformed.
    pub headers_at: u32,
    /// [`flag::PINS`], [`flag::CLOSES`] and [`flag::FORWARDED_FOR`] (this one is certain only if there is a head).
    pub flags: u32,
    /// Zero.
    pub padding: u32,
}

mod phase {
    pub const METHOD: u32 = 0;
    pub const TARGET: u32 = 1;
    pub const AUTHORITY: u32 = 2;
    pub const NAME: u32 = 3;
    pub const SKIP: u32 = 4;
    pub const VERSION: u32 = 5;
    pub const FIELDS: u32 = 6;
    pub const OVER: u32 = 7;
}

mod outcome {
    pub const INCOMPLETE: u32 = 0;
    pub const INVOCATION: u32 = 1;
    pub const OTHER: u32 = 2;
}

/// A reader of one request head; `repr(C)` because the programs keep it in a map.
///
/// It understands the same invocations as [`crate::request`], and goes on to the end of the head whatever is asked for.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct RequestHead {
    /// The function's name, zeros behind: a key of the map of names. It means something for an invocation only.
    pub name: Name,
    fields: Fields,
    phase: u32,
    /// Offset of the next byte of the request line.
    at: u32,
    /// Bytes that there are.
    length: u32,
    /// Offset of the target.
    target: u32,
    /// Bytes of the name so far.
    named: u32,
    outcome: u32,
    headers_at: u32,
    padding: u32,
}

impl RequestHead {
    /// A reader of the first `length` bytes of a look.
    #[inline(always)]
    #[must_use]
    pub const fn new(length: u32) -> Self {
        Self {
            name: [0; NAME_BYTES],
            fields: Fields::new(length),
            phase: phase::METHOD,
            at: 0,
            length,
            target: 0,
            named: 0,
            outcome: outcome::INCOMPLETE,
            headers_at: 0,
            padding: 0,
        }
    }

    /// Reads on; `false` when there is nothing more to read.
    #[inline(always)]
    pub fn step(&mut self, look: &Look) -> bool {
        if self.phase == phase::FIELDS {
            return self.fields.step(look);
        }
        let word = look.word(self.at);
        match self.phase {
            phase::METHOD => self.method(word),
            phase::TARGET => self.target(look, word),
            phase::AUTHORITY => self.authority(word),
            phase::NAME => self.function(word),
            phase::SKIP => self.skip(word),
            phase::VERSION => self.version(look, word),
            _ => false,
        }
    }

    #[inline(always)]
    fn method(&mut self, word: u64) -> bool {
        let end = first(not_capital(word));
        let at = self.at + end;
        if end == 8 && at <= LONGEST_METHOD {
            return self.go(phase::METHOD, at);
        }
        if at == 0 || at > LONGEST_METHOD || byte(word, end) != b' ' {
            return self.malformed(at);
        }
        // Answers to them have no body whatever they say, or no end.
        if self.at == 0 && (first_bytes(word, 5) == text(b"HEAD ") || word == text(b"CONNECT ")) {
            self.fields.flags |= flag::PINS;
        }
        self.target = at + 1;
        self.go(phase::TARGET, at + 1)
    }

    /// Reads the start of a target or, of one in absolute form, the start of its path.
    #[inline(always)]
    fn target(&mut self, look: &Look, word: u64) -> bool {
        let at = self.at;
        let next = look.word(at + 8);
        if word == text(b"/functio") && first_bytes(next, 2) == text(b"n/") {
            return self.go(phase::NAME, at + 10);
        }
        if word == text(b"/async-f") && next == text(b"unction/") {
            return self.go(phase::NAME, at + 16);
        }
        if first_bytes(word, 7) | text(b"    ") == text(b"http://") {
            return self.go(phase::AUTHORITY, at + 7);
        }
        self.go(phase::SKIP, at)
    }

    #[inline(always)]
    fn authority(&mut self, word: u64) -> bool {
        let end = first(not_target(word) | equal(word, b'/'));
        let next = match end {
            8 => phase::AUTHORITY,
            _ if byte(word, end) == b'/' => phase::TARGET,
            _ => phase::SKIP,
        };
        self.go(next, self.at + end)
    }

    #[inline(always)]
    fn function(&mut self, word: u64) -> bool {
        let end = first(not_name(word));
        let at = opaque(self.named) as usize & (NAME_BYTES - 8);
        let part = if end == 8 { word } else { first_bytes(word, end) };
        self.name[at..at + 8].copy_from_slice(&part.to_le_bytes());
        self.named += end;
        if end == 8 && self.named < NAME_BYTES as u32 {
            return self.go(phase::NAME, self.at + 8);
        }
        if end < 8 && self.named > 0 && matches!(byte(word, end), b' ' | b'/' | b'?') {
            self.outcome = outcome::INVOCATION;
        }
        self.go(phase::SKIP, self.at + end)
    }

    /// Goes over the rest of a target.
    #[inline(always)]
    fn skip(&mut self, word: u64) -> bool {
        let end = first(not_target(word));
        let at = self.at + end;
        if end == 8 {
            return self.go(phase::SKIP, at);
        }
        if at == self.target || byte(word, end) != b' ' {
            return self.malformed(at);
        }
        self.go(phase::VERSION, at + 1)
    }

    #[inline(always)]
    fn version(&mut self, look: &Look, word: u64) -> bool {
        let end = self.at + 8;
        if first_bytes(word, 7) != text(b"HTTP/1.") || look.word(end) & 0xffff != CRLF {
            // Cut short is not malformed.
            return self.malformed(if end + 2 > self.length { self.length } else { 0 });
        }
        match byte(word, 7) {
            b'1' => {}
            b'0' => self.fields.flags |= flag::PINS,
            _ => return self.malformed(0),
        }
        if self.outcome != outcome::INVOCATION {
            self.outcome = outcome::OTHER;
        }
        self.headers_at = end + 2;
        self.fields.begin(end + 2);
        self.phase = phase::FIELDS;
        true
    }

    #[inline(always)]
    fn go(&mut self, phase: u32, at: u32) -> bool {
        self.phase = phase;
        self.at = at;
        true
    }

    /// Ends the reading at a byte that cannot stand there.
    #[inline(always)]
    fn malformed(&mut self, at: u32) -> bool {
        self.phase = phase::OVER;
        if at < self.length && self.outcome != outcome::INVOCATION {
            self.outcome = outcome::OTHER;
        }
        false
    }

    /// Whether it is an invocation. A head whose request line is cut short before the name has ended is incomplete.
    #[inline(always)]
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self.outcome {
            outcome::INVOCATION => Outcome::Invocation,
            outcome::OTHER => Outcome::Other,
            _ => Outcome::Incomplete,
        }
    }

    /// What the head says.
    #[inline(always)]
    #[must_use]
    pub const fn facts(&self) -> RequestFacts {
        let fields = &self.fields;
        let mut flags = fields.flags & (flag::PINS | flag::CLOSES | flag::FORWARDED_FOR);
        if fields.end == 0 || fields.flags & flag::CHUNKED != 0 {
            flags |= flag::PINS;
        }
        RequestFacts { body: fields.body, head: fields.end, headers_at: self.headers_at, flags, padding: 0 }
    }
}

/// Reads the head of a request from the start of a payload.
#[must_use]
pub fn read(payload: &[u8]) -> RequestHead {
    let (look, length) = Look::of(payload);
    let mut head = RequestHead::new(length);
    for _ in 0..STEPS {
        if !head.step(&look) {
            break;
        }
    }
    head
}
