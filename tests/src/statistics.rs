//! Judging counts against what chance allows; percentiles.

/// Pearson's statistic of `observed` counts against `weights`, which need not add up to anything: the sum of squared
/// deviations from the expected counts, each over its expected count. Infinite where a weight of zero was observed.
pub fn chi_square(observed: &[u64], weights: &[f64]) -> f64 {
    let (total, all) = (observed.iter().sum::<u64>() as f64, weights.iter().sum::<f64>());
    let terms = observed.iter().zip(weights).filter(|&(&count, &weight)| count > 0 || weight > 0.0);
    terms.map(|(&count, weight)| (count as f64 - total * weight / all).powi(2) / (total * weight / all)).sum()
}

/// The probability that chance alone gives a statistic of at least `chi_square`, of three counts (two degrees of
/// freedom): exactly `exp(-x / 2)`.
pub fn p_value_of_three(chi_square: f64) -> f64 {
    (-chi_square / 2.0).exp()
}

/// The smallest value that at least `percent` of the values do not exceed; `None` of no values. They are sorted upwards.
pub fn nearest_rank(sorted: &[u64], percent: f64) -> Option<u64> {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_are_just_as_expected_prove_nothing() {
        assert_eq!(chi_square(&[20, 30, 50], &[2.0, 3.0, 5.0]), 0.0);
        assert_eq!(p_value_of_three(0.0), 1.0);
    }

    #[test]
    fn a_worked_example_comes_out_as_in_the_tables() {
        // Expected 20, 20, 20: deviations -5, 0, 5.
        assert!((chi_square(&[15, 20, 25], &[1.0, 1.0, 1.0]) - 2.5).abs() < 1e-12);
        // The critical values of two degrees of freedom at 0.05 and 0.001.
        assert!((p_value_of_three(5.991) - 0.05).abs() < 1e-4);
        assert!((p_value_of_three(13.816) - 0.001).abs() < 1e-6);
    }

    #[test]
    fn what_should_never_happen_is_not_chance() {
        assert_eq!(chi_square(&[1, 99, 0], &[0.0, 1.0, 0.0]), f64::INFINITY);
        assert_eq!(p_value_of_three(f64::INFINITY), 0.0);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(nearest_rank(&values, 50.0), Some(100));
        assert_eq!(nearest_rank(&values, 99.0), Some(198));
        assert_eq!(nearest_rank(&values, 100.0), Some(200));
        assert_eq!(nearest_rank(&values, 0.0), Some(1));
        assert_eq!(nearest_rank(&[7], 99.0), Some(7));
        assert_eq!(nearest_rank(&[], 50.0), None);
    }
}
