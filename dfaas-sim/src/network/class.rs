use rand::Rng;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use super::NetworkError;

/// A kind of node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Name, as `light`.
    pub name: String,
    /// How many nodes are of this kind, relative to the others.
    pub share: f64,
    /// Processor cores.
    pub cores: u32,
}

/// The three kinds and proportions of the original DFaaS, with the cores of this project's scenarios.
pub fn light_mid_heavy() -> Vec<Class> {
    let class = |name: &str, share, cores| Class { name: name.to_owned(), share, cores };
    vec![class("light", 0.5, 2), class("mid", 0.3, 4), class("heavy", 0.2, 6)]
}

/// How kinds are given to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Each node by itself, with the shares as probabilities: proportions vary, as in the original's simulators.
    Independent,
    /// Proportions as exact as whole nodes allow (largest remainders), in random order.
    Exact,
}

impl Draw {
    /// For each of `nodes` nodes the index of its class.
    ///
    /// # Errors
    /// [`NetworkError::Parameter`] if a share is negative or not finite, or all are zero.
    pub fn assign(
        self,
        classes: &[Class],
        nodes: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<usize>, NetworkError> {
        let must = "finite, not negative, and more than 0 in one class at least";
        let shares: Vec<f64> = classes.iter().map(|class| class.share).collect();
        let total: f64 = shares.iter().sum();
        let parameter = |value| NetworkError::Parameter { name: "share of a class", value, must };
        if let Some(wrong) = shares.iter().find(|share| !(share.is_finite() && **share >= 0.0)) {
            return Err(parameter(*wrong));
        }
        let weights = WeightedIndex::new(&shares).map_err(|_| parameter(total))?;
        Ok(match self {
            Self::Independent => (0..nodes).map(|_| weights.sample(rng)).collect(),
            Self::Exact => {
                let mut classes: Vec<usize> = apportion(&shares, nodes)
                    .into_iter()
                    .enumerate()
                    .flat_map(|(class, count)| std::iter::repeat_n(class, count))
                    .collect();
                classes.shuffle(rng);
                classes
            }
        })
    }
}

/// Whole numbers that add up to `seats`, in the proportions of `shares`, by largest remainders (Hamilton).
fn apportion(shares: &[f64], seats: usize) -> Vec<usize> {
    let total: f64 = shares.iter().sum();
    let exact: Vec<f64> = shares.iter().map(|share| share / total * seats as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|count| count.floor() as usize).collect();
    let mut by_remainder: Vec<usize> = (0..shares.len()).filter(|at| shares[*at] > 0.0).collect();
    by_remainder.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let missing = seats.saturating_sub(counts.iter().sum());
    for at in by_remainder.into_iter().cycle().take(missing) {
        counts[at] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn exact_proportions_of_ten_nodes_are_five_three_and_two() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut drawn = Draw::Exact.assign(&light_mid_heavy(), 10, rng).unwrap();
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn independent_draws_come_near_the_proportions() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let drawn = Draw::Independent.assign(&light_mid_heavy(), 10_000, rng).unwrap();
        for (class, expected) in [(0, 5_000_f64), (1, 3_000.0), (2, 2_000.0)] {
            let count = drawn.iter().filter(|at| **at == class).count() as f64;
            // Five standard deviations of a binomial count.
            assert!((count - expected).abs() < 5.0 * (expected * 0.5).sqrt(), "class {class}: {count}");
        }
    }

    #[test]
    fn shares_that_mean_nothing_are_refused() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        for share in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let class = Class { name: "only".to_owned(), share, cores: 1 };
            assert!(Draw::Exact.assign(&[class], 3, rng).is_err(), "{share}");
        }
        assert!(Draw::Exact.assign(&[], 3, rng).is_err());
    }

    proptest! {
        #[test]
        fn seats_are_all_given_and_nobody_is_a_whole_seat_off(
            shares in prop::collection::vec(0.0..10.0_f64, 1..8), seats in 0..500_usize,
        ) {
            let total: f64 = shares.iter().sum();
            prop_assume!(total > 0.01);
            let counts = apportion(&shares, seats);
            prop_assert_eq!(counts.iter().sum::<usize>(), seats);
            for (count, share) in counts.iter().zip(&shares) {
                prop_assert!((*count as f64 - share / total * seats as f64).abs() < 1.0 + 1e-9);
            }
        }
    }
}
