/// Randomness that the host supplies: seeded in the simulator and in tests, from the system in the agent.
pub trait Random {
    /// The next 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// A number in `[0, 1)`.
    fn unit(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);

    impl Random for Fixed {
        fn next_u64(&mut self) -> u64 {
            self.0
        }
    }

    #[test]
    fn unit_stays_below_one_even_with_all_bits_set() {
        assert_eq!(Fixed(0).unit(), 0.0);
        let highest = Fixed(u64::MAX).unit();
        assert!(highest < 1.0 && highest > 0.999_999);
    }
}
