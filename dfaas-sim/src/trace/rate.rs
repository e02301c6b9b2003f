use rand::Rng;

use super::error::{amount, positive};
use super::{Trace, TraceError};
use crate::shape::Shape;

impl Trace {
    /// Every count multiplied by `factor`.
    ///
    /// # Errors
    /// [`TraceError::Parameter`] if the factor, or a count that it makes, is negative or not finite.
    pub fn rescale_rate(&self, factor: f64) -> Result<Self, TraceError> {
        amount("factor of the rate", factor)?;
        self.map(|counts| counts.iter().map(|count| count * factor).collect())
    }

    /// Multiplied so that the mean rate of all series together is `rate` requests a second.
    ///
    /// # Errors
    /// [`TraceError`] if the rate is negative or not finite, or the trace has no request.
    pub fn rescale_to_mean(&self, rate: f64) -> Result<Self, TraceError> {
        amount("mean rate", rate)?;
        self.rescale_rate(self.ratio(rate * self.duration(), self.total().iter().sum())?)
    }

    /// Multiplied so that all series together have `rate` requests a second in the busiest interval.
    ///
    /// # Errors
    /// [`TraceError`] if the rate is negative or not finite, or the trace has no request.
    pub fn rescale_to_peak(&self, rate: f64) -> Result<Self, TraceError> {
        amount("peak rate", rate)?;
        self.rescale_rate(self.ratio(rate * self.interval(), self.total().into_iter().fold(0.0, f64::max))?)
    }

    fn ratio(&self, wanted: f64, found: f64) -> Result<f64, TraceError> {
        if found > 0.0 { Ok(wanted / found) } else { Err(TraceError::Empty("request in the trace")) }
    }

    /// The lowest rate of any series becomes `low` requests a second, the highest `high`, and those between `low + (high
    /// - low) * x^power`, where x in `0..=1` is where they were. A power above 1 leaves peaks and makes the rest smaller.
    /// If all are the same, they become `low`.
    ///
    /// # Errors
    /// [`TraceError::Parameter`] if a rate is negative or not finite, or the power not more than zero.
    pub fn rescale_to_range(&self, low: f64, high: f64, power: f64) -> Result<Self, TraceError> {
        amount("lowest rate", low)?;
        amount("highest rate", high)?;
        positive("power", power)?;
        let all = || self.series().flat_map(|(_, counts)| counts).copied();
        let (min, max) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        let place = |count: f64| if max > min { ((count - min) / (max - min)).powf(power) } else { 0.0 };
        let rate = |count: &f64| (low + (high - low) * place(*count)) * self.interval();
        self.map(|counts| counts.iter().map(rate).collect())
    }

    /// Whole counts with the same expected value: each is rounded up with the probability of its fraction.
    ///
    /// # Errors
    /// None that the trace itself does not have.
    pub fn rounded(&self, rng: &mut impl Rng) -> Result<Self, TraceError> {
        let mut round =
            |count: &f64| count.floor() + f64::from(u8::from(rng.random::<f64>() < count.fract()));
        self.map(|counts| counts.iter().map(&mut round).collect())
    }

    /// A series as a load shape: its rate in each interval, on the clock of the trace.
    pub fn shape(&self, counts: &[f64]) -> Shape {
        let rates = counts.iter().map(|count| count / self.interval()).collect();
        let table = Shape::Table { interval: self.interval(), rates };
        if self.start() == 0.0 { table } else { Shape::Delay { by: self.start(), of: Box::new(table) } }
    }
}
