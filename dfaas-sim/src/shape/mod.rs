//! Load over time: how many requests a second users send.
//!
//! A [`Shape`] is the rate as a function of time; shapes add up, scale, shift and clamp. [`Arrivals`] and [`counts`] draw
//! requests from it as a Poisson process, [`published`] holds the loads that the original DFaaS was trained and
//! simulated with.

mod arrivals;
mod check;
mod integral;
pub mod published;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use arrivals::poisson;
pub use arrivals::{Arrivals, counts};
pub use check::ShapeError;

/// A rate in requests a second over time in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// Always the same.
    Constant {
        /// The rate.
        rate: f64,
    },
    /// One rate, then another.
    Step {
        /// The rate before and after.
        before: f64,
        /// The rate in the step.
        after: f64,
        /// When it begins.
        at: f64,
        /// When the rate is again what it was; never if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<f64>,
    },
    /// Straight from one rate to another, and constant before and after.
    Linear {
        /// The rate at `start`.
        from: f64,
        /// The rate at `end`.
        to: f64,
        /// When it begins to change.
        start: f64,
        /// When it has changed.
        end: f64,
    },
    /// Straight up from `base` at `start` to `peak` at `top`, and down again until `end`.
    Triangular {
        /// The rate outside.
        base: f64,
        /// The rate at `top`.
        peak: f64,
        /// When it begins to change.
        start: f64,
        /// When it turns.
        top: f64,
        /// When it is again what it was.
        end: f64,
    },
    /// `mean + amplitude * sin(2 pi t / period + phase)`.
    Sinusoidal {
        /// The mean rate.
        mean: f64,
        /// The largest distance from it, not more than it.
        amplitude: f64,
        /// Seconds from one peak to the next.
        period: f64,
        /// Where in the period time 0 is, in radians.
        #[serde(default)]
        phase: f64,
    },
    /// Short bursts at equal distances.
    Spikes {
        /// The rate between them.
        base: f64,
        /// The rate in a spike.
        height: f64,
        /// When the first one begins.
        first: f64,
        /// Seconds from the beginning of one to the beginning of the next.
        every: f64,
        /// How long one lasts, not longer than `every`.
        width: f64,
    },
    /// Rates of successive intervals from time 0; nothing before and after.
    Table {
        /// Seconds an interval lasts.
        interval: f64,
        /// The rates.
        rates: Vec<f64>,
    },
    /// All of them at once.
    Sum {
        /// The parts.
        of: Vec<Shape>,
    },
    /// Multiplied.
    Scale {
        /// By what.
        by: f64,
        /// What.
        of: Box<Shape>,
    },
    /// Later in time; earlier if negative.
    Delay {
        /// Seconds.
        by: f64,
        /// What.
        of: Box<Shape>,
    },
    /// Never below `min` or above `max`.
    Clamp {
        /// The lowest rate.
        min: f64,
        /// The highest rate.
        max: f64,
        /// What.
        of: Box<Shape>,
    },
}

impl Shape {
    /// Requests a second at time `t`, zero or more if the shape passes [`check`](Self::check).
    pub fn rate(&self, t: f64) -> f64 {
        match self {
            Self::Constant { rate } => *rate,
            Self::Step { before, after, at, until } => {
                let inside = t >= *at && until.is_none_or(|until| t < until);
                if inside { *after } else { *before }
            }
            Self::Linear { from, to, start, end } => from + (to - from) * progress(t, *start, *end),
            Self::Triangular { base, peak, start, top, end } => {
                let up = if t < *top { progress(t, *start, *top) } else { 1.0 - progress(t, *top, *end) };
                base + (peak - base) * up
            }
            Self::Sinusoidal { mean, amplitude, period, phase } => {
                // Rounding may leave a little less than nothing where amplitude and mean are equal.
                (mean + amplitude * (std::f64::consts::TAU * t / period + phase).sin()).max(0.0)
            }
            Self::Spikes { base, height, first, every, width } => {
                let inside = t >= *first && (t - first).rem_euclid(*every) < *width;
                if inside { *height } else { *base }
            }
            Self::Table { interval, rates } => {
                let at = (t / interval).floor();
                if at < 0.0 { 0.0 } else { rates.get(at as usize).copied().unwrap_or(0.0) }
            }
            Self::Sum { of } => of.iter().map(|part| part.rate(t)).sum(),
            Self::Scale { by, of } => by * of.rate(t),
            Self::Delay { by, of } => of.rate(t - by),
            Self::Clamp { min, max, of } => of.rate(t).clamp(*min, *max),
        }
    }

    /// A rate that is never exceeded.
    pub fn ceiling(&self) -> f64 {
        match self {
            Self::Constant { rate } => *rate,
            Self::Step { before: one, after: other, .. }
            | Self::Linear { from: one, to: other, .. }
            | Self::Triangular { base: one, peak: other, .. }
            | Self::Spikes { base: one, height: other, .. } => one.max(*other),
            Self::Sinusoidal { mean, amplitude, .. } => mean + amplitude,
            Self::Table { rates, .. } => rates.iter().copied().fold(0.0, f64::max),
            Self::Sum { of } => of.iter().map(Self::ceiling).sum(),
            Self::Scale { by, of } => by * of.ceiling(),
            Self::Delay { of, .. } => of.ceiling(),
            Self::Clamp { min, max, of } => of.ceiling().clamp(*min, *max),
        }
    }
}

/// How far `t` is on the way from `start` to `end`, in `0..=1`.
fn progress(t: f64, start: f64, end: f64) -> f64 {
    if t < start {
        0.0
    } else if t >= end {
        1.0
    } else {
        (t - start) / (end - start)
    }
}
