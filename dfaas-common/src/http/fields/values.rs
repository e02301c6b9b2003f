//! Values that say where a message ends or what becomes of the connection.

use super::{Fields, MAX_BODY, phase};
use crate::http::flag;
use crate::http::look::Look;
use crate::http::words::{byte, first, first_bytes, lower, not_name, text};

impl Fields {
    /// Takes a byte of a length.
    #[inline(always)]
    pub(super) fn digit(&mut self, byte: u8) -> bool {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            // Zeros in front would be read as octal by some.
            let leading = self.digits != 0 && self.body == 0;
            self.body = self.body * 10 + digit as u64;
            self.digits = 1;
            if leading || self.body > MAX_BODY {
                return self.doubtful();
            }
        } else if byte != b' ' || self.digits != 0 {
            if byte != b'\r' || self.digits == 0 {
                return self.doubtful();
            }
            self.phase = phase::VALUE;
            return true;
        }
        self.at += 1;
        true
    }

    /// Takes a space, or the whole of a coding.
    #[inline(always)]
    pub(super) fn coding(&mut self, word: u64) -> bool {
        if byte(word, 0) == b' ' {
            self.at += 1;
            return true;
        }
        if first_bytes(lower(word), 7) != text(b"chunked") || byte(word, 7) != b'\r' {
            return self.doubtful();
        }
        self.once(flag::CHUNKED);
        self.at += 7;
        self.phase = phase::VALUE;
        true
    }

    /// Takes a connection option or what stands between two.
    #[inline(always)]
    pub(super) fn option(&mut self, look: &Look, word: u64) -> bool {
        let start = byte(word, 0);
        if start == b'\r' {
            self.phase = phase::VALUE;
        } else if start == b' ' || start == b',' {
            self.at += 1;
        } else {
            let length = first(not_name(word));
            let option = lower(word);
            if length == 5 && first_bytes(option, 5) == text(b"close") && ends_option(word, 5) {
                self.flags |= flag::CLOSES;
                self.at += 5;
            } else if length == 8 && option == text(b"keep-ali") && self.ends_keep_alive(look) {
                self.at += 10;
            } else {
                return self.doubtful();
            }
        }
        true
    }

    /// Whether `ve` and nothing more follows the next eight bytes.
    #[inline(always)]
    fn ends_keep_alive(&self, look: &Look) -> bool {
        let word = look.word(self.at + 8);
        first(not_name(word)) == 2 && first_bytes(lower(word), 2) == text(b"ve") && ends_option(word, 2)
    }

    /// Sets a bit; a second line of the kind pins, the same or not.
    #[inline(always)]
    pub(super) fn once(&mut self, bit: u32) {
        if self.flags & bit != 0 {
            self.flags |= flag::PINS;
        }
        self.flags |= bit;
    }

    /// A value that leaves a doubt about the connection; the rest of the line goes unread.
    #[inline(always)]
    fn doubtful(&mut self) -> bool {
        self.flags |= flag::PINS;
        self.phase = phase::VALUE;
        true
    }
}

/// Whether an option ends at `at` (0 to 6), with one space or without: two options with only a space between them are one
/// that nobody knows.
#[inline(always)]
const fn ends_option(word: u64, at: u32) -> bool {
    let next = byte(word, at + (byte(word, at) == b' ') as u32);
    next == b',' || next == b'\r'
}
