//! Eight bytes at a time. A *mask* of bytes has bit 7 of every byte that it names set and nothing else.
//!
//! The sums below never carry from one byte into the next, since their bytes are below 128 before the addition; so every
//! mask is exact (H. Warren, Hacker's Delight, 6-1).

/// Bit 7 of every byte.
const TOP: u64 = every(0x80);
/// All other bits.
const REST: u64 = every(0x7f);

/// Eight times the same byte.
#[inline(always)]
#[must_use]
pub const fn every(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// The bytes of a text of at most eight bytes as they stand in a word, zeros behind.
#[inline(always)]
#[must_use]
pub const fn text(bytes: &[u8]) -> u64 {
    let (mut word, mut i) = (0, bytes.len());
    while i > 0 {
        i -= 1;
        word = word << 8 | bytes[i] as u64;
    }
    word
}

/// The first `count` bytes (0 to 7) of a word, zeros behind.
#[inline(always)]
#[must_use]
pub const fn first_bytes(word: u64, count: u32) -> u64 {
    word & !(u64::MAX << (count << 3 & 63))
}

/// The byte at `at` (0 to 7).
#[inline(always)]
#[must_use]
pub const fn byte(word: u64, at: u32) -> u8 {
    (word >> (at << 3 & 63)) as u8
}

/// Letters in lower case. Only letters become letters; other bytes may change into other bytes that are not letters.
#[inline(always)]
#[must_use]
pub const fn lower(word: u64) -> u64 {
    word | every(0x20)
}

/// Position of the first byte in a mask; 8 if it is empty.
#[inline(always)]
#[must_use]
pub const fn first(mask: u64) -> u32 {
    if mask == 0 {
        return 8;
    }
    // The lowest bit, moved to bit 0 of its byte, picks its number out of the table 0..=7.
    let lowest = (mask & mask.wrapping_neg()) >> 7;
    (lowest.wrapping_mul(0x0001_0203_0405_0607) >> 56) as u32
}

/// Bytes of `low`, whose top bits are clear, from `from` to `to`; only the top bits of the result mean something.
#[inline(always)]
const fn between(low: u64, from: u8, to: u8) -> u64 {
    low.wrapping_add(every(0x80 - from)) & !low.wrapping_add(every(0x7f - to))
}

/// Mask of the bytes that are neither printable ASCII nor a space.
#[inline(always)]
#[must_use]
pub const fn unprintable(word: u64) -> u64 {
    let low = word & REST;
    (word | low.wrapping_add(every(0x01)) | !low.wrapping_add(every(0x80 - 0x20))) & TOP
}

/// Mask of the bytes that cannot stand in a request target: all but printable ASCII, spaces too.
#[inline(always)]
#[must_use]
pub const fn not_target(word: u64) -> u64 {
    let low = word & REST;
    (word | low.wrapping_add(every(0x01)) | !low.wrapping_add(every(0x80 - 0x21))) & TOP
}

/// Mask of the bytes that are `byte` (below 128).
#[inline(always)]
#[must_use]
pub const fn equal(word: u64, byte: u8) -> u64 {
    let different = word ^ every(byte);
    !((different & REST).wrapping_add(REST) | different) & TOP
}

/// Mask of the bytes that are not capital letters.
#[inline(always)]
#[must_use]
pub const fn not_capital(word: u64) -> u64 {
    (!between(word & REST, b'A', b'Z') | word) & TOP
}

/// Mask of the bytes outside `[-.0-9A-Z_a-z]`: what names of functions are made of, and all of what names of header
/// fields are made of in practice.
#[inline(always)]
#[must_use]
pub const fn not_name(word: u64) -> u64 {
    let low = word & REST;
    let names = between(lower(low), b'a', b'z')
        | between(low, b'0', b'9')
        | between(low, b'-', b'.')
        | !(low ^ every(b'_')).wrapping_add(REST);
    (!names | word) & TOP
}

/// Mask of the bytes that are not hexadecimal digits.
#[inline(always)]
#[must_use]
pub const fn not_hex(word: u64) -> u64 {
    let low = word & REST;
    (!(between(lower(low), b'a', b'f') | between(low, b'0', b'9')) | word) & TOP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::is_name_byte;
    use proptest::prelude::*;

    /// Every mask against the rule for one byte.
    fn masks_are_exact(bytes: [u8; 8]) {
        let word = u64::from_le_bytes(bytes);
        let mask_of = |rule: &dyn Fn(u8) -> bool| {
            u64::from_le_bytes(bytes.map(|byte| if rule(byte) { 0x80 } else { 0 }))
        };
        assert_eq!(unprintable(word), mask_of(&|b| !(0x20..0x7f).contains(&b)));
        assert_eq!(not_target(word), mask_of(&|b| !b.is_ascii_graphic()));
        assert_eq!(equal(word, b'/'), mask_of(&|b| b == b'/'));
        assert_eq!(not_capital(word), mask_of(&|b| !b.is_ascii_uppercase()));
        assert_eq!(not_name(word), mask_of(&|b| !is_name_byte(b)));
        assert_eq!(not_hex(word), mask_of(&|b| !b.is_ascii_hexdigit()));
    }

    #[test]
    fn masks_name_exactly_the_bytes_that_they_are_about() {
        for byte in 0..=255 {
            masks_are_exact([byte; 8]);
            masks_are_exact([b'a', byte, 0, byte, 255, byte, byte.wrapping_add(1), b'/']);
        }
    }

    #[test]
    fn a_text_reads_as_it_stands_in_memory() {
        assert_eq!(text(b"HTTP/1.1"), u64::from_le_bytes(*b"HTTP/1.1"));
        assert_eq!(first_bytes(text(b"HTTP/1.1"), 4), text(b"HTTP"));
        assert_eq!((byte(text(b"HTTP"), 1), byte(text(b"HTTP"), 4)), (b'T', 0));
    }

    proptest! {
        #[test]
        fn masks_are_exact_for_any_bytes(bytes: [u8; 8]) {
            masks_are_exact(bytes);
        }

        #[test]
        fn the_first_byte_of_a_mask_is_found(bytes: [bool; 8]) {
            let mask = u64::from_le_bytes(bytes.map(|set| if set { 0x80 } else { 0 }));
            prop_assert_eq!(first(mask), bytes.iter().position(|&set| set).unwrap_or(8) as u32);
        }

        #[test]
        fn only_letters_become_letters(bytes: [u8; 8]) {
            for (before, after) in bytes.into_iter().zip(lower(u64::from_le_bytes(bytes)).to_le_bytes()) {
                if after.is_ascii_lowercase() {
                    prop_assert_eq!(before.to_ascii_lowercase(), after);
                }
            }
        }
    }
}
