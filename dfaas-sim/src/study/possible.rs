//! What of a function can be in time at best: some invocations take longer than their deadline wherever they are served, and
//! nobody knows which before they have.

use std::f64::consts::SQRT_2;

use crate::federation::Service;
use crate::scenario::Law;

/// What an invocation is worth that is served at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Possible {
    /// The part of the invocations that take no longer than the deadline.
    pub requests: f64,
    /// Their processor time, over all invocations (s).
    pub work: f64,
}

impl Possible {
    /// Of a function.
    pub fn of(function: &Service) -> Self {
        let (mean, deadline) = (function.cpu as f64 / 1e9, function.deadline as f64 / 1e9);
        match function.law {
            Law::Exponential => {
                let late = (-deadline / mean).exp();
                Self { requests: 1.0 - late, work: mean * (1.0 - late * (1.0 + deadline / mean)) }
            }
            Law::Lognormal if function.cv > 0.0 => {
                let variance = (function.cv * function.cv).ln_1p();
                let deviation = variance.sqrt();
                let place = ((deadline / mean).ln() + variance / 2.0) / deviation;
                Self { requests: normal(place), work: mean * normal(place - deviation) }
            }
            Law::Lognormal if mean <= deadline => Self { requests: 1.0, work: mean },
            Law::Lognormal => Self { requests: 0.0, work: 0.0 },
        }
    }
}

/// The distribution function of the standard normal distribution.
fn normal(at: f64) -> f64 {
    libm::erfc(-at / SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;
    use rand_distr::{Exp, LogNormal};

    use super::*;
    use crate::scenario::Function;

    fn function(law: Law, cv: f64, deadline: Duration) -> Service {
        Service::of(&Function { law, cv, deadline, ..Function::new("f", Duration::from_millis(250)) })
    }

    /// The same by drawing many.
    fn drawn(law: impl rand_distr::Distribution<f64>, deadline: f64) -> (f64, f64) {
        let random = SmallRng::seed_from_u64(1);
        let all: Vec<f64> = law.sample_iter(random).take(400_000).collect();
        let early = || all.iter().filter(|time| **time <= deadline);
        (early().count() as f64 / all.len() as f64, early().sum::<f64>() / all.len() as f64)
    }

    #[test]
    fn what_is_possible_is_what_draws_of_both_laws_say() {
        let variance = 0.7_f64.mul_add(0.7, 1.0).ln();
        let lognormal = LogNormal::new(0.25_f64.ln() - variance / 2.0, variance.sqrt()).unwrap();
        let exponential = Exp::new(4.0).unwrap();
        for millis in [100, 300, 1000] {
            let (deadline, seconds) = (Duration::from_millis(millis), millis as f64 / 1e3);
            for (found, (requests, work)) in [
                (Possible::of(&function(Law::Lognormal, 0.7, deadline)), drawn(lognormal, seconds)),
                (Possible::of(&function(Law::Exponential, 0.7, deadline)), drawn(exponential, seconds)),
            ] {
                // Four standard deviations of a part of so many draws, and of their sum.
                assert!((found.requests - requests).abs() < 0.004, "{found:?}, drawn {requests}");
                assert!((found.work - work).abs() < 0.002, "{found:?}, drawn {work}");
            }
        }
    }

    #[test]
    fn a_constant_time_is_possible_or_not() {
        let of = |millis| Possible::of(&function(Law::Lognormal, 0.0, Duration::from_millis(millis)));
        assert_eq!(of(250), Possible { requests: 1.0, work: 0.25 });
        assert_eq!(of(249), Possible { requests: 0.0, work: 0.0 });
    }
}
