use std::time::Duration;

use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

/// Numbers of scenarios, rounded so that they are short to read.
pub(super) struct Numbers(pub ChaCha8Rng);

impl Numbers {
    /// Whether something is so that is in this part of all scenarios.
    pub(super) fn chance(&mut self, part: f64) -> bool {
        self.0.random::<f64>() < part
    }

    pub(super) fn between(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    /// Evenly, to a hundredth.
    pub(super) fn part(&mut self, least: f64, most: f64) -> f64 {
        (self.0.random_range(least..=most) * 100.0).round() / 100.0
    }

    /// All orders of magnitude alike, to two digits.
    pub(super) fn magnitude(&mut self, least: f64, most: f64) -> f64 {
        let number = self.0.random_range(least.ln()..=most.ln()).exp();
        let digit = 10_f64.powf(number.log10().floor() - 1.0);
        ((number / digit).round() * digit).clamp(least, most)
    }

    /// As [`Numbers::magnitude`], in whole milliseconds.
    pub(super) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.magnitude(least as f64, most as f64).round() as u64)
    }

    /// Evenly, in tenths of a second.
    pub(super) fn moment(&mut self, least: f64, most: f64) -> Duration {
        Duration::from_millis((self.0.random_range(least..=most) * 10.0).round() as u64 * 100)
    }

    pub(super) fn some(&mut self, of: usize, number: usize) -> Vec<usize> {
        let mut chosen = index::sample(&mut self.0, of, number.min(of)).into_vec();
        chosen.sort_unstable();
        chosen
    }
}
