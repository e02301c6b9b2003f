use serde::Serialize;

use super::bounded::WINDOW_S;
use crate::federation::{Federation, nanos};
use crate::outcome::{Outcome, Second};
use crate::scenario::Scenario;

/// The indexes by which the original's simulator compares techniques, of each node in each ten seconds instead of each
/// minute: over all of the time, and in stress alone. Stress is when users of any node ask for more than it has.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Indexes {
    /// Part of the requests answered within the deadline, where users ask for anything.
    pub success: Distribution,
    /// The same in stress; all zero if there is none.
    pub success_in_stress: Distribution,
    /// Requests answered 429 or 503.
    pub rejects: Distribution,
    /// All rejects together.
    pub rejects_total: f64,
}

/// How values lie.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Distribution {
    /// The mean.
    pub mean: f64,
    /// The variance of all there are, not of a sample.
    pub variance: f64,
    /// The median.
    pub median: f64,
    /// What nine of ten are below, straight between the two nearest values.
    pub p90: f64,
}

impl Distribution {
    /// Of these; all zero of none.
    pub fn of(mut values: Vec<f64>) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let quantile = |part: f64| {
            let place = part * (count - 1.0);
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            values[below] + (values[above] - values[below]) * place.fract()
        };
        Self { mean, variance, median: quantile(0.5), p90: quantile(0.9) }
    }

    /// The mean of some; all zero of none.
    fn mean(all: &[Self]) -> Self {
        let mean = |part: fn(&Self) -> f64| all.iter().map(part).sum::<f64>() / all.len().max(1) as f64;
        Self {
            mean: mean(|of| of.mean),
            variance: mean(|of| of.variance),
            median: mean(|of| of.median),
            p90: mean(|of| of.p90),
        }
    }
}

impl Indexes {
    /// Of one run.
    pub fn of(scenario: &Scenario, federation: &Federation, outcome: &Outcome) -> Self {
        let length = WINDOW_S as usize;
        let (mut success, mut stressed, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
        let windows = outcome.series.first().map_or(0, |seconds| seconds.len().div_ceil(length));
        let stress: Vec<bool> =
            (0..windows).map(|window| is_stress(scenario, federation, window * length, length)).collect();
        for seconds in &outcome.series {
            for (window, seconds) in seconds.chunks(length).enumerate() {
                let sum =
                    |of: fn(&Second) -> u32| seconds.iter().map(|second| f64::from(of(second))).sum::<f64>();
                rejects.push(sum(|second| second.rejected));
                let asked = sum(|second| second.asked);
                if asked > 0.0 {
                    let part = sum(|second| second.in_time) / asked;
                    success.push(part);
                    if stress[window] {
                        stressed.push(part);
                    }
                }
            }
        }
        Self {
            rejects_total: rejects.iter().sum(),
            success: Distribution::of(success),
            success_in_stress: Distribution::of(stressed),
            rejects: Distribution::of(rejects),
        }
    }

    /// The mean of several runs; of stress, of those in which there is any.
    pub fn mean(all: &[Self]) -> Self {
        let of = |part: fn(&Self) -> Distribution| all.iter().map(part).collect::<Vec<_>>();
        let mut stressed = of(|indexes| indexes.success_in_stress);
        stressed.retain(|of| *of != Distribution::default());
        Self {
            success: Distribution::mean(&of(|indexes| indexes.success)),
            success_in_stress: Distribution::mean(&stressed),
            rejects: Distribution::mean(&of(|indexes| indexes.rejects)),
            rejects_total: all.iter().map(|of| of.rejects_total).sum::<f64>() / all.len().max(1) as f64,
        }
    }
}

/// Whether at any time from this second on, for so many, users of any node ask for more than it has.
fn is_stress(scenario: &Scenario, federation: &Federation, second: usize, length: usize) -> bool {
    let at = |second: usize| nanos(scenario.warmup) + second as u64 * 1_000_000_000;
    let (from, to) = (at(second), at(second + length));
    let rates = &federation.rates;
    (0..rates.pieces()).any(|piece| {
        let ends = if piece + 1 < rates.pieces() { rates.begins(piece + 1) } else { u64::MAX };
        let overlaps = rates.begins(piece) < to && ends > from;
        overlaps && (0..federation.nodes()).any(|node| federation.scarcest(piece, node) > 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_that_of_the_textbook() {
        let of = Distribution::of(vec![4.0, 1.0, 3.0, 2.0, 5.0]);
        assert_eq!((of.mean, of.variance, of.median), (3.0, 2.0, 3.0));
        assert!((of.p90 - 4.6).abs() < 1e-12);
        assert_eq!(Distribution::of(Vec::new()), Distribution::default());
    }

    #[test]
    fn a_run_without_stress_says_nothing_of_stress() {
        let calm = Indexes { success: Distribution::of(vec![1.0]), ..Indexes::default() };
        let stressed = Indexes { success_in_stress: Distribution::of(vec![0.6]), ..calm };
        let mean = Indexes::mean(&[calm, stressed]);
        assert_eq!((mean.success.mean, mean.success_in_stress.mean), (1.0, 0.6));
    }
}
