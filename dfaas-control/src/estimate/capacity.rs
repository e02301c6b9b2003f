//! How much of a node's processors its functions can use well.

use super::weight;

/// Periods between steps: much slower than what the level and the grants do, so that the loops do not meet.
const EVERY: f64 = 10.0;

/// Periods that the short and the long mean go back.
const SHORT: f64 = 10.0;
const LONG: f64 = 600.0;

/// The short mean may be this many times the long one before the part shrinks.
const TOLERANCE: f64 = 1.5;

/// How far a step goes towards what it finds, and by how much it may grow.
const SMOOTH: f64 = 0.2;
const GROWTH: f64 = 0.05;

/// The least part of the processors.
const LEAST: f64 = 0.5;

/// Below this utilisation long times are not the load's fault.
const BUSY: f64 = 0.5;

/// The part kappa of a node's processors that its functions can use well, in the manner of the limiter "Gradient2" of
/// Netflix's concurrency-limits: it shrinks while invocations take longer than they used to in the long run, although no
/// more of them are promised, and grows back slowly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limiter {
    kappa: f64,
    short: f64,
    long: f64,
    counted: f64,
    since: f64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { kappa: 1.0, short: 1.0, long: 1.0, counted: 0.0, since: 0.0 }
    }
}

impl Limiter {
    /// Takes how much longer invocations took than without load ([`super::Cost::stretch`]) over so many periods, and the
    /// part of the capacity that was in use; the part that can be used well, from 0.5 to 1.
    pub(crate) fn update(&mut self, part: f64, stretch: Option<f64>, utilisation: f64) -> f64 {
        if let Some(stretch) = stretch.filter(|stretch| stretch.is_finite() && *stretch > 0.0) {
            self.short += weight(1.0 - (-part / SHORT).exp(), part, self.counted) * (stretch - self.short);
            self.long += weight(1.0 - (-part / LONG).exp(), part, self.counted) * (stretch - self.long);
            self.counted += part;
        }
        self.since += part;
        if self.since >= EVERY {
            self.since = 0.0;
            self.step(utilisation);
        }
        self.kappa
    }

    fn step(&mut self, utilisation: f64) {
        // A long mean that holds the past of a heavy load would hide the next one.
        if self.long > 2.0 * self.short {
            self.long *= 0.95;
        }
        let gradient = (TOLERANCE * self.long / self.short).clamp(LEAST, 1.0);
        let gradient = if utilisation >= BUSY { gradient } else { 1.0 };
        let found = (self.kappa * gradient).max(LEAST);
        let found = if gradient < 1.0 { found } else { found + GROWTH / SMOOTH };
        self.kappa = (self.kappa + SMOOTH * (found - self.kappa)).clamp(LEAST, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(limiter: &mut Limiter, periods: u32, stretch: f64, utilisation: f64) -> f64 {
        (0..periods).map(|_| limiter.update(1.0, Some(stretch), utilisation)).last().unwrap()
    }

    #[test]
    fn a_node_whose_times_stay_uses_all_of_itself() {
        assert_eq!(run(&mut Limiter::default(), 1_000, 1.2, 0.95), 1.0);
        assert_eq!(Limiter::default().update(1.0, None, 0.9), 1.0, "nothing is known against it");
    }

    #[test]
    fn times_that_grow_under_load_take_a_part_away_slowly_and_give_it_back() {
        let mut limiter = Limiter::default();
        run(&mut limiter, 300, 1.0, 0.9);
        assert_eq!(run(&mut limiter, 9, 10.0, 0.9), 1.0, "not within ten periods");
        let reduced = run(&mut limiter, 100, 10.0, 0.9);
        assert!((0.5..0.8).contains(&reduced), "{reduced}");
        assert_eq!(run(&mut limiter, 200, 1.0, 0.9), 1.0);
    }

    #[test]
    fn times_that_grow_without_load_are_something_elses_fault() {
        let mut limiter = Limiter::default();
        run(&mut limiter, 300, 1.0, 0.2);
        assert_eq!(run(&mut limiter, 100, 10.0, 0.2), 1.0);
    }

    proptest! {
        #[test]
        fn the_part_is_always_from_a_half_to_one(
            samples in proptest::collection::vec((0.0_f64..20.0, any::<Option<f64>>(), any::<f64>()), 0..200)
        ) {
            let mut limiter = Limiter::default();
            for (part, stretch, utilisation) in samples {
                let kappa = limiter.update(part, stretch, utilisation);
                prop_assert!((0.5..=1.0).contains(&kappa), "{limiter:?}");
            }
        }
    }
}
