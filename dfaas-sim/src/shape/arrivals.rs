use rand::Rng;
use rand::distr::Distribution as _;
use rand_distr::Poisson;

use super::Shape;

/// Times of requests, in order: a Poisson process whose rate is a shape.
///
/// Drawn by thinning: a process at the [`ceiling`](Shape::ceiling) of the shape, of which each request is kept with
/// probability rate over ceiling (Lewis and Shedler, Naval Research Logistics 26, 1979).
#[derive(Debug)]
pub struct Arrivals<'a, R> {
    shape: &'a Shape,
    ceiling: f64,
    now: f64,
    end: f64,
    rng: &'a mut R,
}

impl<'a, R: Rng> Arrivals<'a, R> {
    /// Requests from `start` until before `end`.
    pub fn new(shape: &'a Shape, start: f64, end: f64, rng: &'a mut R) -> Self {
        Self { shape, ceiling: shape.ceiling(), now: start, end, rng }
    }
}

impl<R: Rng> Iterator for Arrivals<'_, R> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if self.ceiling <= 0.0 {
            return None;
        }
        loop {
            // 1 - u is in (0, 1], whose logarithm is finite.
            self.now -= (1.0 - self.rng.random::<f64>()).ln() / self.ceiling;
            if self.now.is_nan() || self.now >= self.end {
                return None;
            }
            if self.rng.random::<f64>() * self.ceiling < self.shape.rate(self.now) {
                return Some(self.now);
            }
        }
    }
}

/// Requests in each of `intervals` intervals of `seconds` from time 0: Poisson counts whose means are the integrals of
/// the shape.
pub fn counts(shape: &Shape, seconds: f64, intervals: usize, rng: &mut impl Rng) -> Vec<f64> {
    (0..intervals)
        .map(|at| poisson(shape.expected(at as f64 * seconds, (at + 1) as f64 * seconds), rng))
        .collect()
}

/// A Poisson count. Means that are too small or too large for the distribution, as zero, are themselves the count.
pub(crate) fn poisson(mean: f64, rng: &mut impl Rng) -> f64 {
    Poisson::new(mean).map_or(mean.max(0.0), |counts| counts.sample(rng))
}
