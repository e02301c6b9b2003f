//! Times to the first byte of an answer, as a histogram.

use crate::opaque::opaque64;

/// Upper bounds of the buckets, ns; a last bucket has no bound. Those of the OpenFaaS gateway's own histogram.
pub const BOUNDS: [u64; 11] = [
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Number of buckets.
pub const BUCKETS: usize = BOUNDS.len() + 1;

/// Answers of one function by one backend; one value a CPU.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FirstByte {
    /// Answers by [`bucket`].
    pub buckets: [u64; BUCKETS],
    /// Sum of the times, ns.
    pub sum: u64,
}

impl FirstByte {
    /// No answer yet.
    pub const EMPTY: Self = Self { buckets: [0; BUCKETS], sum: 0 };

    /// Adds the answers of another CPU.
    pub fn add(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(other.buckets).for_each(|(sum, count)| *sum += count);
        self.sum += other.sum;
    }
}

/// The bucket of a time (ns, below 2^63): the first whose bound is not below it. Without branches, as every branch
/// would double the paths that the verifier follows.
#[inline(always)]
#[must_use]
pub fn bucket(time: u64) -> u32 {
    // The top bit of the difference says which is less.
    BOUNDS.iter().map(|bound| (opaque64(bound.wrapping_sub(time)) >> 63) as u32).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_on_a_bound_is_still_in_its_bucket() {
        assert_eq!([0, 5_000_000, 5_000_001].map(bucket), [0, 0, 1]);
        assert_eq!([10_000_000_000, 10_000_000_001, u64::MAX >> 1].map(bucket), [10, 11, 11]);
    }

    proptest! {
        #[test]
        fn a_time_lies_between_the_bounds_of_its_bucket(time in 0u64..20_000_000_000) {
            let at = bucket(time) as usize;
            prop_assert!(at == BOUNDS.len() || time <= BOUNDS[at]);
            prop_assert!(at == 0 || time > BOUNDS[at - 1]);
        }
    }
}
