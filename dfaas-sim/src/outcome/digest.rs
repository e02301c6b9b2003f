/// A sum of a run that depends on the order of what is added: FNV-1a of 64 bits, by words instead of bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    pub(super) fn add(&mut self, word: u64) {
        // High bits would never reach low ones by products alone.
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> u64 {
        let mut digest = Digest::default();
        words.iter().for_each(|word| digest.add(*word));
        digest.value()
    }

    #[test]
    fn order_and_each_bit_count() {
        assert_eq!(of(&[1, 2, 3]), of(&[1, 2, 3]));
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        (0..64).for_each(|bit| assert_ne!(of(&[1 << bit, 7, 7]), of(&[0, 7, 7]), "{bit}"));
    }
}
