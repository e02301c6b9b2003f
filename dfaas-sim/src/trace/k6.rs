use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use super::{SeriesKey, Trace, TraceError};
use crate::input::{InputError, from_json};

/// Seconds of an interval in such a file.
pub const K6_INTERVAL: f64 = 60.0;

/// Requests a second in each minute, by function and node.
type Rates = BTreeMap<String, BTreeMap<String, Vec<Rate>>>;

/// Requests a second, finite and not negative: checked while the place in the file is known.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
struct Rate(f64);

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(rate: f64) -> Result<Self, String> {
        let good = (rate * K6_INTERVAL).is_finite() && rate >= 0.0;
        if good {
            Ok(Self(rate))
        } else {
            Err(format!("{rate} is no rate: it must be finite and not negative"))
        }
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> f64 {
        rate.0
    }
}

/// Reads a trace of the load tests of the original DFaaS, which are run by k6: JSON, requests a second in each minute,
/// `{"function": {"node": [rate, ...]}}`. `file` is its name, for errors.
///
/// # Errors
/// [`InputError`] with the place of what is wrong; all lists must be of the same length.
pub fn read_k6(file: &str, reader: impl Read) -> Result<Trace, InputError> {
    let rates: Rates = from_json(file, reader)?;
    let whole = |cause: TraceError| InputError::whole(file, cause);
    let minutes = rates.values().flat_map(BTreeMap::values).next().map(Vec::len);
    let minutes = minutes.ok_or_else(|| whole(TraceError::Empty("node in the file")))?;
    let mut trace = Trace::new(0.0, K6_INTERVAL, minutes).map_err(whole)?;
    for (function, nodes) in &rates {
        for (node, rates) in nodes {
            let counts: Vec<f64> = rates.iter().map(|rate| rate.0 * K6_INTERVAL).collect();
            trace.add(SeriesKey::at(node, function), &counts).map_err(|cause| {
                InputError::whole(file, format_args!("function {function}, node {node}: {cause}"))
            })?;
        }
    }
    Ok(trace)
}

/// Writes such a file.
///
/// # Errors
/// [`TraceError::Format`] if the intervals are not minutes or a function is at no node.
pub fn write_k6(trace: &Trace, to: impl Write) -> Result<(), TraceError> {
    if trace.interval() != K6_INTERVAL {
        let reason =
            format!("a k6 trace counts minutes, and this one {} s; resample it first", trace.interval());
        return Err(TraceError::Format(reason));
    }
    let mut rates = Rates::new();
    for (key, counts) in trace.series() {
        let node = key.node.clone().ok_or_else(|| {
            TraceError::Format(format!(
                "a k6 trace needs a node for function {}; assign one first",
                key.function
            ))
        })?;
        let series = counts.iter().map(|count| Rate(count / K6_INTERVAL)).collect();
        rates.entry(key.function.clone()).or_default().insert(node, series);
    }
    serde_json::to_writer(to, &rates).map_err(|cause| TraceError::Format(cause.to_string()))
}
