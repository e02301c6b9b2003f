use std::str::FromStr;
use std::time::Duration;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp};

/// How the requests of an open-loop load follow each other: whatever became of those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Independent of each other, as those of many users: the times between them are exponential.
    Poisson,
    /// At the same distance.
    Even,
}

impl FromStr for Arrivals {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "poisson" => Ok(Self::Poisson),
            "even" => Ok(Self::Even),
            _ => Err(format!("\"{text}\" is no way to arrive: poisson or even")),
        }
    }
}

impl Arrivals {
    /// When requests are due in `length`, from its beginning, at `rate` a second; of [`Arrivals::Poisson`] as the seed
    /// draws them. None for a rate that is not more than zero.
    pub fn times(self, rate: f64, length: Duration, seed: u64) -> Vec<Duration> {
        let good = rate.is_finite() && rate > 0.0;
        if !good {
            return Vec::new();
        }
        let end = length.as_secs_f64();
        match self {
            Self::Even => {
                let count = (rate * end).round() as u64;
                (0..count).map(|at| Duration::from_secs_f64(at as f64 / rate)).collect()
            }
            Self::Poisson => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                // A rate more than zero always has a distribution.
                let Ok(gap) = Exp::new(rate) else { return Vec::new() };
                let mut at = 0.0;
                let next = || {
                    at += gap.sample(&mut rng);
                    (at < end).then(|| Duration::from_secs_f64(at))
                };
                std::iter::from_fn(next).collect()
            }
        }
    }
}
