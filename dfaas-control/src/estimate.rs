//! Estimates from measurements that are noisy, late or missing. Each takes what was measured and the time that it covers,
//! and can always be asked for a number that is finite and not negative.

mod capacity;
mod cost;
mod rate;

pub(crate) use capacity::Limiter;
pub(crate) use cost::{Cost, usable_cost};
pub(crate) use rate::Rate;

use std::time::Duration;

/// How many periods passed; at most `most`, so that a long pause counts as no more than that.
pub(crate) fn periods(passed: Duration, period: Duration, most: f64) -> f64 {
    let periods = passed.as_secs_f64() / period.as_secs_f64();
    if periods.is_finite() { periods.clamp(0.0, most) } else { 0.0 }
}

/// The weight of a sample in a mean that forgets: `steady`, but as much as in a plain mean while little was counted
/// before it.
fn weight(steady: f64, sample: f64, counted: f64) -> f64 {
    if sample <= 0.0 { 0.0 } else { steady.max(sample / (counted + sample)).clamp(0.0, 1.0) }
}
