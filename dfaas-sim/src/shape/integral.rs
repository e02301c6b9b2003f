use std::f64::consts::TAU;

use super::Shape;

/// Points at which a clamped shape is looked at to add it up.
const POINTS: u32 = 1024;

impl Shape {
    /// Requests expected from `from` to `to`: the integral of the rate. Exact but for clamped shapes, which are added up
    /// at 1,024 points.
    pub fn expected(&self, from: f64, to: f64) -> f64 {
        if to <= from {
            return 0.0;
        }
        let length = to - from;
        match self {
            Self::Constant { rate } => rate * length,
            Self::Step { before, after, at, until } => {
                let inside = overlap(from, to, *at, until.unwrap_or(f64::INFINITY));
                before * (length - inside) + after * inside
            }
            Self::Linear { from: low, to: high, start, end } => {
                low * length + (high - low) * (ramp(to, *start, *end) - ramp(from, *start, *end))
            }
            Self::Triangular { base, peak, start, top, end } => {
                // Up by one ramp, down by another that begins where the first ends.
                let up = |t: f64| ramp(t, *start, *top) - ramp(t, *top, *end);
                base * length + (peak - base) * (up(to) - up(from))
            }
            Self::Sinusoidal { mean, amplitude, period, phase } => {
                let cosine = |t: f64| (TAU * t / period + phase).cos();
                mean * length + amplitude * period / TAU * (cosine(from) - cosine(to))
            }
            Self::Spikes { base, height, first, every, width } => {
                let within = |t: f64| {
                    let since = (t - first).max(0.0);
                    (since / every).floor() * width + since.rem_euclid(*every).min(*width)
                };
                let inside = within(to) - within(from);
                base * (length - inside) + height * inside
            }
            Self::Table { interval, rates } => {
                let first = (from / interval).floor().max(0.0) as usize;
                let last = (to / interval).ceil().max(0.0) as usize;
                let rates = rates.iter().enumerate().take(last).skip(first);
                let inside = |at: usize| overlap(from, to, at as f64 * interval, (at + 1) as f64 * interval);
                rates.map(|(at, rate)| rate * inside(at)).sum()
            }
            Self::Sum { of } => of.iter().map(|part| part.expected(from, to)).sum(),
            Self::Scale { by, of } => by * of.expected(from, to),
            Self::Delay { by, of } => of.expected(from - by, to - by),
            Self::Clamp { .. } => {
                let part = length / f64::from(POINTS);
                (0..POINTS).map(|at| self.rate(from + (f64::from(at) + 0.5) * part) * part).sum()
            }
        }
    }
}

/// How much of `from..to` is in `start..end`.
fn overlap(from: f64, to: f64, start: f64, end: f64) -> f64 {
    (to.min(end) - from.max(start)).max(0.0)
}

/// Integral up to `t` of what is 0 before `start`, 1 after `end`, and straight between.
fn ramp(t: f64, start: f64, end: f64) -> f64 {
    let inside = (t.min(end) - start).max(0.0);
    inside * inside / (2.0 * (end - start)) + (t - end).max(0.0)
}
