use std::f64::consts::TAU;

use rand::Rng;
use rand::distr::Distribution as _;
use rand_distr::{Gamma, StandardNormal};

use super::error::{amount, positive};
use super::model::fits;
use super::{Assignment, SeriesKey, Trace, TraceError};
use crate::shape::poisson;

/// Makes traces that look like the http functions of the Azure Functions trace of 2019 (Shahrad et al., Serverless in
/// the Wild, ATC 2020): few functions have nearly all requests, rates follow the day, and minutes vary far more than
/// those of a Poisson process.
///
/// The rate of a function is lognormal. It follows a day with its own phase and depth, and is multiplied in each interval
/// by a gamma number with mean 1, of which a part stays from one interval to the next. Requests are a Poisson count.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthetic {
    /// Functions there are.
    pub functions: usize,
    /// Names of the nodes.
    pub nodes: Vec<String>,
    /// How functions are given to nodes.
    pub assignment: Assignment,
    /// Intervals.
    pub intervals: usize,
    /// Seconds an interval lasts.
    pub interval: f64,
    /// Intervals of a day.
    pub day: f64,
    /// Requests a second of all nodes together, on average over the trace.
    pub rate: f64,
    /// How unequally requests are spread over the functions: standard deviation of the logarithm of their rates.
    pub sigma: f64,
    /// How much the rate changes in a day, drawn for each function from zero to this part of the mean, at most 1.
    pub daily: f64,
    /// How much it changes from one interval to the next: variance of the gamma numbers.
    pub burst: f64,
    /// How much of such a number stays in the next interval, from 0 to less than 1.
    pub memory: f64,
}

impl Default for Synthetic {
    /// Forty functions at ten nodes over two hours of minutes, 200 requests a second.
    fn default() -> Self {
        Self {
            functions: 40,
            nodes: (1..=10).map(|node| format!("node-{node:02}")).collect(),
            assignment: Assignment::PerNode { least: 6, most: 15 },
            intervals: 120,
            interval: 60.0,
            day: 1440.0,
            rate: 200.0,
            sigma: 2.0,
            daily: 0.6,
            burst: 0.5,
            memory: 0.7,
        }
    }
}

impl Synthetic {
    /// Makes a trace.
    ///
    /// # Errors
    /// [`TraceError`] if a number has no meaning, or there is no node or no function.
    pub fn make(&self, rng: &mut impl Rng) -> Result<Trace, TraceError> {
        self.check()?;
        let mut expected = Trace::new(0.0, self.interval, self.intervals)?;
        for function in 1..=self.functions {
            let rates = self.rates(rng)?;
            expected.add(SeriesKey::anywhere(&format!("function-{function:03}")), &rates)?;
        }
        let expected = expected.assign(&self.nodes, self.assignment, rng)?.rescale_to_mean(self.rate)?;
        expected.map(|counts| counts.iter().map(|mean| poisson(*mean, rng)).collect())
    }

    fn check(&self) -> Result<(), TraceError> {
        fits(self.intervals, self.functions)?;
        positive("intervals of a day", self.day)?;
        amount("rate", self.rate)?;
        amount("sigma", self.sigma)?;
        positive("burst", self.burst)?;
        let fraction = |name, value: f64, good, must| {
            if good { Ok(()) } else { Err(TraceError::Parameter { name, value, must }) }
        };
        fraction("daily", self.daily, (0.0..=1.0).contains(&self.daily), "in 0 to 1")?;
        fraction("memory", self.memory, (0.0..1.0).contains(&self.memory), "from 0 to less than 1")
    }

    /// Rates of one function, relative to those of others.
    fn rates(&self, rng: &mut impl Rng) -> Result<Vec<f64>, TraceError> {
        let normal: f64 = StandardNormal.sample(rng);
        let popularity = (self.sigma * normal).exp();
        let (depth, phase) = (self.daily * rng.random::<f64>(), TAU * rng.random::<f64>());
        // Shape 1 / v and scale v have mean 1 and variance v.
        let gamma = Gamma::new(1.0 / self.burst, self.burst).map_err(|_| TraceError::Parameter {
            name: "burst",
            value: self.burst,
            must: "a variance that a gamma distribution can have",
        })?;
        let mut level: f64 = gamma.sample(rng);
        Ok((0..self.intervals)
            .map(|at| {
                level = self.memory * level + (1.0 - self.memory) * gamma.sample(rng);
                popularity * level * (1.0 + depth * (TAU * at as f64 / self.day + phase).sin())
            })
            .collect())
    }
}
