//! The first bytes of a segment's payload, as words.

use crate::opaque::opaque;

/// Words in a [`Look`].
const WORDS: usize = 256;

/// Most bytes of a payload that are looked at: a segment on Ethernet.
pub const LOOK: u32 = 1536;

/// The first bytes of a payload, up to [`LOOK`], in the order of the packet, and eight zeros behind them: who fills it
/// writes both. What comes after the zeros may be left from another packet. Words rather than bytes, because a read of
/// a word at any offset is then two aligned loads.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The bytes: the first one is the lowest of the first word in memory.
    pub words: [u64; WORDS],
}

impl Look {
    /// Nothing but zeros.
    pub const EMPTY: Self = Self { words: [0; WORDS] };

    /// The first bytes of a payload, and how many they are.
    #[must_use]
    pub fn of(payload: &[u8]) -> (Self, u32) {
        let mut look = Self::EMPTY;
        let bytes = &payload[..payload.len().min(LOOK as usize)];
        for (word, part) in look.words.iter_mut().zip(bytes.chunks(8)) {
            let mut eight = [0; 8];
            eight[..part.len()].copy_from_slice(part);
            *word = u64::from_ne_bytes(eight);
        }
        (look, bytes.len() as u32)
    }

    /// The eight bytes at `at`, the first one lowest; the position is masked.
    #[inline(always)]
    #[must_use]
    pub fn word(&self, at: u32) -> u64 {
        join(self.aligned(at >> 3), self.aligned((at >> 3) + 1), at)
    }

    /// As four calls of [`Self::word`], eight bytes apart.
    #[inline(always)]
    #[must_use]
    pub fn words(&self, at: u32) -> [u64; 4] {
        let index = at >> 3;
        let [a, b, c] = [self.aligned(index + 1), self.aligned(index + 2), self.aligned(index + 3)];
        [
            join(self.aligned(index), a, at),
            join(a, b, at),
            join(b, c, at),
            join(c, self.aligned(index + 4), at),
        ]
    }

    #[inline(always)]
    fn aligned(&self, index: u32) -> u64 {
        u64::from_le(self.words[opaque(index) as usize & (WORDS - 1)])
    }
}

/// The word at `at`, from the aligned one in which it begins and the next.
#[inline(always)]
const fn join(low: u64, high: u64, at: u32) -> u64 {
    let shift = (at & 7) << 3;
    // In two shifts, since one by 64 does nothing.
    low >> shift | high << 1 << (63 - shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_at_any_offset_holds_the_eight_bytes_from_there_on(bytes: [u8; 64], at in 0usize..56) {
            let (look, length) = Look::of(&bytes);
            prop_assert_eq!(length, 64);
            prop_assert_eq!(&look.word(at as u32).to_le_bytes()[..], &bytes[at..at + 8]);
        }

        #[test]
        fn no_offset_lies_outside(at: u32) {
            prop_assert_eq!(Look::EMPTY.word(at), 0);
        }
    }
}
