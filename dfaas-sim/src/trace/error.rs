use super::{MAX_CELLS, MAX_INTERVALS};

/// Why a trace cannot be made or changed as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// A parameter has no meaning.
    #[error("{name} is {value}, and must be {must}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be accepted.
        must: &'static str,
    },
    /// A series is not as long as the trace.
    #[error("{found} counts in a trace of {intervals} intervals")]
    Length {
        /// How many counts there are.
        found: usize,
        /// How many there should be.
        intervals: usize,
    },
    /// The trace would not fit into memory.
    #[error(
        "{intervals} intervals of {series} series are too many: at most {MAX_INTERVALS} intervals, and {MAX_CELLS} \
         counts; take longer intervals or fewer functions"
    )]
    TooLarge {
        /// How many intervals it would have.
        intervals: f64,
        /// How many series it would have.
        series: usize,
    },
    /// Two traces do not count in the same intervals.
    #[error(
        "intervals of {ours} s from {our_start} s and of {theirs} s from {their_start} s do not coincide; resample or \
         shift one of the traces first"
    )]
    Grids {
        /// Interval of the one, in seconds.
        ours: f64,
        /// Where it starts.
        our_start: f64,
        /// Interval of the other, in seconds.
        theirs: f64,
        /// Where it starts.
        their_start: f64,
    },
    /// A file format cannot hold this trace.
    #[error("{0}")]
    Format(String),
    /// There is nothing to work on.
    #[error("no {0}")]
    Empty(&'static str),
}

/// A finite number, zero or more.
pub(super) fn amount(name: &'static str, value: f64) -> Result<(), TraceError> {
    check(value.is_finite() && value >= 0.0, name, value, "finite and not negative")
}

/// A finite number, more than zero.
pub(super) fn positive(name: &'static str, value: f64) -> Result<(), TraceError> {
    check(value.is_finite() && value > 0.0, name, value, "finite and more than 0")
}

/// A finite number.
pub(super) fn finite(name: &'static str, value: f64) -> Result<(), TraceError> {
    check(value.is_finite(), name, value, "finite")
}

fn check(good: bool, name: &'static str, value: f64, must: &'static str) -> Result<(), TraceError> {
    if good { Ok(()) } else { Err(TraceError::Parameter { name, value, must }) }
}
