//! Heads of answers: the status, where the answer ends, and whether that is certain (RFC 9112, 6.3).

use super::fields::Fields;
use super::look::Look;
use super::words::{byte, first_bytes, text};
use super::{STEPS, flag};

/// What an answer says of its length and of the connection.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResponseFacts {
    /// Bytes of the body as `Content-Length` gives them; 0 if there is none, or if it comes in chunks.
    pub body: u64,
    /// Bytes of the head, the empty line included. 0: it is not complete in this segment, or malformed; it pins then.
    pub head: u32,
    /// [`flag::PINS`], [`flag::CLOSES`] and [`flag::CHUNKED`].
    pub flags: u32,
    /// Status code; 0 if there is no status line.
    pub status: u16,
    /// Zero.
    pub padding: [u16; 3],
}

/// A reader of one head of an answer; `repr(C)` because the programs keep it in a map.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead {
    fields: Fields,
    /// 1: the status line has been read.
    started: u32,
    status: u32,
}

impl ResponseHead {
    /// A reader of the first `length` bytes of a look.
    #[inline(always)]
    #[must_use]
    pub const fn new(length: u32) -> Self {
        Self { fields: Fields::new(length), started: 0, status: 0 }
    }

    /// Reads on; `false` when there is nothing more to read.
    #[inline(always)]
    pub fn step(&mut self, look: &Look) -> bool {
        if self.started != 0 {
            return self.fields.step(look);
        }
        self.started = 1;
        let status = status_of(look) as u32;
        self.status = status;
        if status < 200 || byte(look.word(0), 7) == b'0' {
            self.fields.flags |= flag::PINS;
        }
        // The space before the reason is there even where no reason is (RFC 9112, 4).
        if status == 0 || byte(look.word(12), 0) != b' ' {
            return false;
        }
        self.fields.begin_within(13);
        true
    }

    /// What the head says. It must not be asked for of an answer to HEAD, which has no body whatever it says.
    #[inline(always)]
    #[must_use]
    pub const fn facts(&self) -> ResponseFacts {
        let fields = &self.fields;
        let framing = fields.flags & (flag::CHUNKED | flag::LENGTH);
        let mut flags = fields.flags & (flag::PINS | flag::CLOSES | flag::CHUNKED);
        let mut body = fields.body;
        let bodiless = self.status == 204 || self.status == 304;
        // Both, or neither: a body that ends with the connection. To 204, hosts disagree on the meaning of either.
        if fields.end == 0
            || framing == flag::CHUNKED | flag::LENGTH
            || framing == 0 && !bodiless
            || self.status == 204 && (framing == flag::CHUNKED || body != 0)
        {
            flags |= flag::PINS;
        }
        if bodiless {
            body = 0;
            flags &= !flag::CHUNKED;
        }
        ResponseFacts { body, head: fields.end, flags, status: self.status as u16, padding: [0; 3] }
    }
}

/// The status code of an answer whose head need not be read: the first 16 bytes suffice. 0 if there is none.
#[inline(always)]
#[must_use]
pub fn status_of(look: &Look) -> u16 {
    let (version, rest) = (look.word(0), look.word(8));
    let digit = |at| byte(rest, at).wrapping_sub(b'0') as u16;
    let (hundreds, tens, ones) = (digit(1), digit(2), digit(3));
    let http = first_bytes(version, 7) == text(b"HTTP/1.") && matches!(byte(version, 7), b'0' | b'1');
    if http && byte(rest, 0) == b' ' && matches!(hundreds, 1..=5) && tens < 10 && ones < 10 {
        hundreds * 100 + tens * 10 + ones
    } else {
        0
    }
}

/// Reads the head of an answer from the start of a payload.
#[must_use]
pub fn read(payload: &[u8]) -> ResponseFacts {
    let (look, length) = Look::of(payload);
    let mut head = ResponseHead::new(length);
    for _ in 0..STEPS {
        if !head.step(&look) {
            break;
        }
    }
    head.facts()
}
