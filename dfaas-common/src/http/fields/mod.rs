//! The header lines of a request or an answer (RFC 9112, 5).
//!
//! A line is `NAME ":" VALUE CR LF` with a name of `[-.0-9A-Z_a-z]` and a value of printable ASCII and spaces. Anything
//! else, which some implementation may read otherwise (folded lines, lone CR or LF, spaces before the colon, tabs and
//! other control bytes), ends the reading without a result.

mod values;

use super::flag;
use super::look::Look;
use super::words::{byte, first, first_bytes, lower, not_name, text, unprintable};

/// Most header lines.
pub const MAX_LINES: u32 = 64;

/// Largest `Content-Length`, bytes.
pub const MAX_BODY: u64 = 1 << 40;

/// CR LF as the lower half of a word.
pub const CRLF: u64 = 0x0a0d;

/// What a step reads.
mod phase {
    /// The rest of a value, and the end of the line.
    pub const VALUE: u32 = 0;
    /// Digits of a `Content-Length`.
    pub const LENGTH: u32 = 1;
    /// A `Transfer-Encoding`.
    pub const CODING: u32 = 2;
    /// The options of a `Connection`.
    pub const CONNECTION: u32 = 3;
    /// The start of a line.
    pub const NAME: u32 = 4;
    /// The rest of a name.
    pub const REST: u32 = 5;
    /// Nothing more.
    pub const OVER: u32 = 6;
}

/// A reader of header lines; `repr(C)` because the programs keep it in a map.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields {
    /// Value of `Content-Length`, bytes.
    pub body: u64,
    /// Bytes of the whole head; 0: its end has not come, or it is malformed.
    pub end: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// Offset of the next byte to look at.
    at: u32,
    /// Bytes that there are.
    length: u32,
    /// One of [`phase`].
    phase: u32,
    /// The phase that reads the value of the line at hand.
    value: u32,
    /// Lines so far.
    lines: u32,
    /// 1: there have been digits of a length.
    digits: u32,
}

impl Fields {
    /// A reader of the first `length` bytes of a look.
    #[inline(always)]
    #[must_use]
    pub const fn new(length: u32) -> Self {
        Self {
            body: 0,
            end: 0,
            flags: 0,
            at: 0,
            length,
            phase: phase::OVER,
            value: phase::VALUE,
            lines: 0,
            digits: 0,
        }
    }

    /// Starts with the header line at `at`.
    #[inline(always)]
    pub fn begin(&mut self, at: u32) {
        self.at = at;
        self.phase = phase::NAME;
    }

    /// Starts within a line at `at`, whose rest says nothing.
    #[inline(always)]
    pub fn begin_within(&mut self, at: u32) {
        self.at = at;
        self.phase = phase::VALUE;
    }

    /// Reads on; `false` when there is nothing more to read.
    #[inline(always)]
    pub fn step(&mut self, look: &Look) -> bool {
        if self.phase != phase::VALUE {
            let more = self.start_of_line(look);
            if !more || self.phase != phase::VALUE {
                return more;
            }
        }
        self.rest_of_line(look)
    }

    /// Reads what comes before the rest of a line that says nothing more.
    #[inline(always)]
    fn start_of_line(&mut self, look: &Look) -> bool {
        let at = self.at;
        let word = look.word(at);
        match self.phase {
            phase::NAME => {
                if word & 0xffff == CRLF {
                    if at + 2 <= self.length {
                        self.end = at + 2;
                    }
                    return self.over();
                }
                self.lines += 1;
                if self.lines > MAX_LINES {
                    return self.over();
                }
                self.value = phase::VALUE;
                self.recognise(look, word);
                // A colon at the start would be an empty name.
                byte(word, 0) != b':' && self.name(word) || self.over()
            }
            phase::REST => self.name(word) || self.over(),
            phase::LENGTH => self.digit(byte(word, 0)),
            phase::CODING => self.coding(word),
            phase::CONNECTION => self.option(look, word),
            _ => false,
        }
    }

    #[inline(always)]
    fn over(&mut self) -> bool {
        self.phase = phase::OVER;
        false
    }

    /// Goes on towards the end of the line, or to the next line.
    #[inline(always)]
    fn rest_of_line(&mut self, look: &Look) -> bool {
        let words = look.words(self.at);
        let mut mark = first(unprintable(words[0]));
        // Four words in one step, as a step costs as much as two.
        if mark == 8 {
            mark += first(unprintable(words[1]));
        }
        if mark == 16 {
            mark += first(unprintable(words[2]));
        }
        if mark == 24 {
            mark += first(unprintable(words[3]));
        }
        let at = self.at + mark;
        self.at = at;
        if mark < 32 {
            // The zeros behind the last byte stop here too.
            if look.word(at) & 0xffff != CRLF {
                return self.over();
            }
            self.begin(at + 2);
        }
        true
    }

    /// Whether the name whose start is in `word` is one of those that matter. That it consists of what it seems to, the
    /// reading of the name shows.
    #[inline(always)]
    fn recognise(&mut self, look: &Look, word: u64) {
        let name = lower(word);
        if name == text(b"content-") {
            if first_bytes(lower(look.word(self.at + 8)), 7) == text(b"length:") {
                self.once(flag::LENGTH);
                self.body = 0;
                self.value = phase::LENGTH;
            }
        } else if name == text(b"connecti") {
            if first_bytes(lower(look.word(self.at + 8)), 3) == text(b"on:") {
                self.value = phase::CONNECTION;
            }
        } else if name == text(b"x-forwar") {
            if lower(look.word(self.at + 8)) == text(b"ded-for:") {
                self.flags |= flag::FORWARDED_FOR;
            }
        } else if name == text(b"transfer") {
            if lower(look.word(self.at + 8)) == text(b"-encodin")
                && first_bytes(lower(look.word(self.at + 16)), 2) == text(b"g:")
            {
                self.value = phase::CODING;
            }
        } else if first_bytes(name, 7) == text(b"expect:")
            || name == text(b"upgrade:")
            || name == text(b"trailer:")
        {
            self.flags |= flag::PINS;
        }
    }

    /// Reads a name as far as the word goes; `false` if it is none.
    #[inline(always)]
    fn name(&mut self, word: u64) -> bool {
        let length = first(not_name(word));
        if length == 8 {
            self.at += 8;
            self.phase = phase::REST;
            return true;
        }
        self.at += length + 1;
        self.phase = self.value;
        byte(word, length) == b':'
    }
}
