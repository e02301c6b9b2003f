//! Where the options of a TCP header are (RFC 9293, 3.1; RFC 7323; RFC 2018).

use crate::cookie::NO_SCALE;

/// A TCP header with its options, zeros behind; 64 bytes so that a mask of 6 bits bounds every access.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderImage(pub [u8; 64]);

impl HeaderImage {
    /// The byte at `at`, which is masked to 0..64.
    #[inline(always)]
    #[must_use]
    pub fn byte(&self, at: u32) -> u8 {
        self.0[(at & 63) as usize]
    }

    /// Four bytes from `at` on as a big-endian number; each position is masked.
    #[inline(always)]
    #[must_use]
    pub fn number(&self, at: u32) -> u32 {
        (self.byte(at) as u32) << 24
            | (self.byte(at + 1) as u32) << 16
            | (self.byte(at + 2) as u32) << 8
            | self.byte(at + 3) as u32
    }

    /// Stores a big-endian number; each position is masked.
    #[inline(always)]
    pub fn set_number(&mut self, at: u32, value: u32) {
        self.0[(at & 63) as usize] = (value >> 24) as u8;
        self.0[((at + 1) & 63) as usize] = (value >> 16) as u8;
        self.0[((at + 2) & 63) as usize] = (value >> 8) as u8;
        self.0[((at + 3) & 63) as usize] = value as u8;
    }
}

/// What the options say. Offsets are from the start of the TCP header; 0: the option is absent.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Offset of the next option to look at.
    pub at: u32,
    /// Length of the header.
    pub end: u32,
    /// MSS; 536 if absent (RFC 9293, 3.7.1).
    pub segment_size: u32,
    /// Window scale, at most 14 (RFC 7323, 2.3), or [`NO_SCALE`].
    pub scale: u32,
    /// 1: SACK permitted.
    pub sack_permitted: u32,
    /// Offset of the timestamp value; its echo is four bytes later.
    pub time_at: u32,
    /// Offset of the first SACK block.
    pub sack_at: u32,
    /// Number of SACK blocks, at most 4.
    pub sack_blocks: u32,
}

impl Options {
    /// Nothing seen yet of a header of `header_length` bytes.
    #[inline(always)]
    #[must_use]
    pub const fn new(header_length: u32) -> Self {
        Self {
            at: 20,
            end: if header_length > 60 { 60 } else { header_length },
            segment_size: 536,
            scale: NO_SCALE as u32,
            sack_permitted: 0,
            time_at: 0,
            sack_at: 0,
            sack_blocks: 0,
        }
    }

    /// Most steps that the longest list of options takes.
    pub const STEPS: u32 = 40;

    /// Looks at one option; `false` when the list is over. What is malformed ends the list: the rest is ignored, as
    /// hosts do.
    #[inline(always)]
    pub fn step(&mut self, header: &HeaderImage) -> bool {
        let at = self.at;
        if at >= self.end {
            return false;
        }
        let kind = header.byte(at);
        if kind == 0 {
            return false;
        }
        if kind == 1 {
            self.at = at + 1;
            return true;
        }
        let length = header.byte(at + 1) as u32;
        if at + 2 > self.end || length < 2 || at + length > self.end {
            return false;
        }
        match (kind, length) {
            (2, 4) => self.segment_size = (header.byte(at + 2) as u32) << 8 | header.byte(at + 3) as u32,
            (3, 3) => {
                let scale = header.byte(at + 2) as u32;
                self.scale = if scale > 14 { 14 } else { scale };
            }
            (4, 2) => self.sack_permitted = 1,
            (5, 10 | 18 | 26 | 34) => {
                self.sack_at = at + 2;
                self.sack_blocks = (length - 2) >> 3;
            }
            (8, 10) => self.time_at = at + 2,
            _ => {}
        }
        self.at = at + length;
        true
    }

    /// All options of a header.
    #[must_use]
    pub fn parse(header: &HeaderImage, header_length: u32) -> Self {
        let mut options = Self::new(header_length);
        for _ in 0..Self::STEPS {
            if !options.step(header) {
                break;
            }
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn image(options: &[u8]) -> (HeaderImage, u32) {
        let mut image = HeaderImage([0; 64]);
        image.0[20..20 + options.len()].copy_from_slice(options);
        (image, 20 + options.len() as u32)
    }

    #[test]
    fn the_options_of_a_linux_syn_are_read() {
        let (image, length) = image(&[2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 7, 1, 3, 3, 7]);
        let options = Options::parse(&image, length);
        assert_eq!((options.segment_size, options.scale, options.sack_permitted), (1460, 7, 1));
        assert_eq!(
            (options.time_at, image.number(options.time_at), image.number(options.time_at + 4)),
            (28, 9, 7)
        );
    }

    #[test]
    fn options_at_odd_offsets_are_found() {
        let (image, length) =
            image(&[1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0]);
        let options = Options::parse(&image, length);
        assert_eq!((options.time_at, image.number(options.time_at)), (23, 0x0102_0304));
        assert_eq!((options.sack_at, options.sack_blocks), (35, 1));
    }

    #[test]
    fn a_header_without_options_offers_nothing() {
        let (image, _) = image(&[2, 4, 5, 0xb4]);
        let options = Options::parse(&image, 20);
        assert_eq!((options.segment_size, options.scale, options.time_at), (536, u32::from(NO_SCALE), 0));
    }

    #[test]
    fn a_window_scale_above_fourteen_counts_as_fourteen() {
        let (image, length) = image(&[3, 3, 200, 0]);
        assert_eq!(Options::parse(&image, length).scale, 14);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_point_outside_the_header(bytes: [u8; 64], length in 20u32..=60) {
            let options = Options::parse(&HeaderImage(bytes), length);
            prop_assert!(options.time_at == 0 || options.time_at + 8 <= length);
            prop_assert!(options.sack_at == 0 || options.sack_at + 8 * options.sack_blocks <= length);
            prop_assert!(options.scale <= 15);
        }
    }
}
