//! Statistics over rounds. No I/O.

use serde::Serialize;

/// One number of several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// Half of the rounds were not above, half not below.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

impl Figure {
    /// Of these rounds; all zeros if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
        let last = values.len().saturating_sub(1);
        // The same value twice where the number of rounds is odd.
        let median = f64::midpoint(at(last / 2), at(values.len() / 2));
        Self { median, min: at(0), max: at(last) }
    }

    /// Of each round's value over that of the same round in `base`: what disturbs a whole round disturbs both. Rounds
    /// without a base are left out.
    pub fn ratio(values: &[f64], base: &[f64]) -> Self {
        let pairs = values.iter().zip(base).filter(|&(_, &base)| base > 0.0);
        Self::of(pairs.map(|(value, base)| value / base))
    }

    /// Difference of the highest and the lowest, over the median; 0 if that is 0.
    pub fn spread(self) -> f64 {
        if self.median > 0.0 { (self.max - self.min) / self.median } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(Figure::of([3.0, 1.0, 2.0]), Figure { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Figure::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert_eq!(Figure::of([7.0]), Figure { median: 7.0, min: 7.0, max: 7.0 });
        assert_eq!(Figure::of([]), Figure { median: 0.0, min: 0.0, max: 0.0 });
    }

    #[test]
    fn one_bad_round_moves_neither_the_median_nor_the_ratio() {
        let (way, direct) = ([90.0, 91.0, 9.0, 89.0, 90.0], [100.0, 101.0, 10.0, 99.0, 100.0]);
        assert_eq!(Figure::of(way).median, 90.0);
        let ratio = Figure::ratio(&way, &direct);
        assert!((ratio.median - 0.9).abs() < 1e-9 && ratio.min > 0.89 && ratio.max < 0.91, "{ratio:?}");
    }

    #[test]
    fn there_is_no_ratio_to_nothing() {
        assert_eq!(Figure::ratio(&[1.0, 2.0], &[0.0, 4.0]).max, 0.5);
        assert_eq!(Figure::ratio(&[1.0], &[0.0]).median, 0.0);
    }

    #[test]
    fn spread_is_told_in_parts_of_the_median() {
        assert_eq!(Figure::of([80.0, 100.0, 120.0]).spread(), 0.4);
        assert_eq!(Figure::of([0.0]).spread(), 0.0);
    }

    #[test]
    fn a_number_that_is_none_makes_no_panic() {
        assert!(Figure::of([f64::NAN, 1.0]).max.is_nan());
    }
}
