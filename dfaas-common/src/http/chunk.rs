//! The lines between the chunks of a body (RFC 9112, 7.1), read strictly: up to eight hexadecimal digits and CR LF, no
//! extensions, and no trailer behind the last one.

use super::fields::CRLF;
use super::words::{equal, every, first, not_hex};

/// CR LF CR LF as the lower half of a word.
const CRLF_CRLF: u64 = CRLF << 16 | CRLF;

/// A chunk line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// A chunk begins.
    Data {
        /// Bytes of the line, CR LF included.
        line: u32,
        /// Bytes of data, not 0; another CR LF follows them.
        size: u64,
    },
    /// The body ends.
    Last {
        /// Bytes of the line and of the empty line behind it.
        line: u32,
    },
    /// A line that goes on behind these bytes.
    Incomplete,
    /// Something else.
    Invalid,
}

/// Reads the chunk line at the start of `bytes`: the next `count` bytes of the body, at most 16, the first one lowest,
/// and zeros behind. Twelve bytes are never incomplete.
#[inline(always)]
#[must_use]
pub fn chunk_line(bytes: [u64; 2], count: u32) -> Chunk {
    let digits = first(not_hex(bytes[0]));
    let shift = digits << 3;
    if digits == 0 {
        return if count == 0 { Chunk::Incomplete } else { Chunk::Invalid };
    }
    // The digits at the end of a word, zeros before them; and what follows them.
    let number = bytes[0] << (64 - shift);
    let rest = if digits == 8 { bytes[1] } else { bytes[0] >> shift | bytes[1] << (64 - shift) };
    let size = hexadecimal(number);
    let last = size == 0;
    let different = if last { rest as u32 as u64 ^ CRLF_CRLF } else { (rest ^ CRLF) & 0xffff };
    if different != 0 {
        let at = digits + first(every(0x80) & !equal(different, 0));
        return if at < count { Chunk::Invalid } else { Chunk::Incomplete };
    }
    match (last, digits) {
        (false, _) => Chunk::Data { line: digits + 2, size },
        (true, 1) => Chunk::Last { line: 5 },
        _ => Chunk::Invalid,
    }
}

/// Reads what follows the data of a chunk: the CR LF that ends them and the next chunk line; `line` counts both.
/// Fourteen bytes are never incomplete.
#[inline(always)]
#[must_use]
pub fn next_chunk_line(bytes: [u64; 2], count: u32) -> Chunk {
    let different = (bytes[0] ^ CRLF) & 0xffff;
    if different != 0 {
        let at = (different & 0xff == 0) as u32;
        return if at < count { Chunk::Invalid } else { Chunk::Incomplete };
    }
    match chunk_line([bytes[0] >> 16 | bytes[1] << 48, bytes[1] >> 16], count - 2) {
        Chunk::Data { line, size } => Chunk::Data { line: line + 2, size },
        Chunk::Last { line } => Chunk::Last { line: line + 2 },
        other => other,
    }
}

/// The value of eight hexadecimal digits, the first one lowest; a zero byte counts as the digit 0.
#[inline(always)]
const fn hexadecimal(digits: u64) -> u64 {
    let values = (digits & every(0x0f)) + (digits >> 6 & every(1)) * 9;
    let mut value = values.swap_bytes();
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    (value | value >> 16) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(bytes: &[u8]) -> ([u64; 2], u32) {
        let mut sixteen = [0u8; 16];
        let count = bytes.len().min(16);
        sixteen[..count].copy_from_slice(&bytes[..count]);
        let (low, high) = sixteen.split_at(8);
        let word = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("eight bytes"));
        ([word(low), word(high)], count as u32)
    }

    fn read(bytes: &[u8]) -> Chunk {
        let (bytes, count) = words(bytes);
        chunk_line(bytes, count)
    }

    #[test]
    fn sizes_are_read_and_the_end_is_recognised() {
        assert_eq!(read(b"5\r\nhello\r\n0\r\n\r\n"), Chunk::Data { line: 3, size: 5 });
        assert_eq!(read(b"1aF\r\n............."), Chunk::Data { line: 5, size: 0x1af });
        assert_eq!(read(b"00000010\r\n......"), Chunk::Data { line: 10, size: 16 });
        assert_eq!(read(b"ffffffff\r\n......"), Chunk::Data { line: 10, size: 0xffff_ffff });
        assert_eq!(read(b"0\r\n\r\n"), Chunk::Last { line: 5 });
        assert_eq!(read(b"0\r\n\r\nHTTP/1.1 20"), Chunk::Last { line: 5 });
    }

    #[test]
    fn extensions_trailers_and_odd_numbers_are_refused() {
        for bytes in [
            "5;name=value\r\n",
            "5 \r\n",
            " 5\r\n",
            "5\n",
            "5\r",
            "5\rx",
            "\r\n",
            "x\r\n",
            "0x5\r\n",
            "+5\r\n",
            "-5\r\n",
            "123456789\r\n",
            "00\r\n\r\n",
            "0\r\nTrailer: 1\r\n",
            "0\r\n\n",
            "0;x\r\n\r\n",
            "5\0\r\n",
            "\0",
            "5\t\r\n",
            "00000000\r\n\r\n",
            "g\r\n",
            "5h\r\n",
            "\u{80}5\r\n",
            "5\r\0",
        ] {
            let refused = if bytes == "5\r" { Chunk::Incomplete } else { Chunk::Invalid };
            assert_eq!(read(bytes.as_bytes()), refused, "{bytes:?}");
        }
    }

    #[test]
    fn a_line_that_is_cut_anywhere_is_incomplete() {
        for line in ["12345678\r\n", "0\r\n\r\n", "a\r\n"] {
            for cut in 0..line.len() {
                assert_eq!(read(&line.as_bytes()[..cut]), Chunk::Incomplete, "{line:?} {cut}");
            }
        }
        for cut in 0..12 {
            let (bytes, count) = words(&b"\r\n12345678\r\n"[..cut]);
            assert_eq!(next_chunk_line(bytes, count), Chunk::Incomplete, "{cut}");
        }
    }

    #[test]
    fn the_data_before_a_line_must_end_as_its_size_says() {
        let read = |text: &[u8]| {
            let (bytes, count) = words(text);
            next_chunk_line(bytes, count)
        };
        assert_eq!(read(b"\r\n12345678\r\n...."), Chunk::Data { line: 12, size: 0x1234_5678 });
        assert_eq!(read(b"\r\n0\r\n\r\n"), Chunk::Last { line: 7 });
        assert_eq!(read(b"x\n5\r\n"), Chunk::Invalid);
        assert_eq!(read(b"\rx5\r\n"), Chunk::Invalid);
        assert_eq!(read(b"5\r\n"), Chunk::Invalid);
    }

    proptest! {
        #[test]
        fn every_size_is_read_as_it_was_written(size in 1u64..=0xffff_ffff, rest: [u8; 6], capitals: bool) {
            let line = if capitals { format!("{size:X}\r\n") } else { format!("{size:x}\r\n") };
            let mut bytes = line.clone().into_bytes();
            bytes.extend(rest);
            prop_assert_eq!(read(&bytes), Chunk::Data { line: line.len() as u32, size });
        }

        #[test]
        fn whatever_is_read_agrees_with_another_reader(bytes: [u8; 16], text in "[0-9a-f\r\n; ]{16}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let reference = httparse::parse_chunk_size(bytes);
                match read(bytes) {
                    Chunk::Data { line, size } => {
                        prop_assert_eq!(reference, Ok(httparse::Status::Complete((line as usize, size))));
                    }
                    Chunk::Last { line } => {
                        prop_assert_eq!(line, 5);
                        prop_assert_eq!(reference, Ok(httparse::Status::Complete((3, 0))));
                    }
                    Chunk::Incomplete => prop_assert!(false, "sixteen bytes cannot be incomplete"),
                    Chunk::Invalid => {}
                }
            }
        }
    }
}
