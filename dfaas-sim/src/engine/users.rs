use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use crate::federation::{Nanos, Service};
use crate::scenario::Law;

/// How long invocations of a function take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub mean: Nanos,
    law: Law,
    /// Mean and standard deviation of the logarithm.
    log: (f64, f64),
}

impl Work {
    pub(super) fn of(service: &Service) -> Self {
        // A log-normal of mean m and coefficient of variation c has sigma^2 = ln(1 + c^2) and mu = ln m - sigma^2 / 2.
        let variance = (1.0 + service.cv * service.cv).ln();
        let log = ((service.cpu as f64).ln() - variance / 2.0, variance.sqrt());
        Self { mean: service.cpu, law: service.law, log }
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> Nanos {
        let drawn = match self.law {
            Law::Exponential => self.mean as f64 * Distribution::<f64>::sample(&Exp1, random),
            Law::Lognormal => {
                let normal: f64 = StandardNormal.sample(random);
                (self.log.0 + self.log.1 * normal).exp()
            }
        };
        (drawn as Nanos).max(1)
    }
}

/// The users of a node: independent arrivals.
#[derive(Debug)]
pub(super) struct Users {
    random: ChaCha8Rng,
    /// Sums of the functions' rates.
    sums: Vec<f64>,
    /// Tells arrivals drawn by rates in force from those that are not any more.
    pub epoch: u32,
}

impl Users {
    pub(super) fn new(random: ChaCha8Rng) -> Self {
        Self { random, sums: Vec::new(), epoch: 0 }
    }

    /// They ask by these rates from now on.
    pub(super) fn set_rates(&mut self, rates: &[f64]) {
        self.epoch = self.epoch.wrapping_add(1);
        self.sums.clear();
        let mut sum = 0.0;
        self.sums.extend(rates.iter().map(|rate| {
            sum += rate;
            sum
        }));
    }

    /// How long until one asks; nothing: nobody does.
    pub(super) fn pause(&mut self) -> Option<Nanos> {
        let rate = self.sums.last().copied().filter(|rate| *rate > 0.0)?;
        let pause: f64 = Exp1.sample(&mut self.random);
        Some((pause / rate * 1e9) as Nanos)
    }

    /// What is asked for, and how long that takes.
    pub(super) fn ask(&mut self, works: &[Work]) -> (usize, Nanos) {
        let function = if works.len() == 1 {
            0
        } else {
            let point = self.random.random::<f64>() * self.sums.last().copied().unwrap_or(0.0);
            self.sums.partition_point(|sum| *sum <= point).min(works.len() - 1)
        };
        (function, works[function].draw(&mut self.random))
    }
}
