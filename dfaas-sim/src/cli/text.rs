use serde::Serialize;

use super::CommandError;
use super::table::{digits, pairs, table};
use crate::network::{Network, NetworkStatistics, Spread};
use crate::trace::{Trace, TraceStatistics};

/// What a trace is like: its figures and its first `top` functions.
pub(super) fn trace(trace: &Trace, top: usize, json: bool) -> Result<String, CommandError> {
    let measured = TraceStatistics::of(trace);
    if json {
        return to_json(&measured);
    }
    let mut text = pairs(&[
        ("start", format!("{} s", digits(measured.start_s))),
        ("length", format!("{} intervals of {} s", measured.intervals, digits(measured.interval_s))),
        ("nodes", measured.nodes.to_string()),
        ("functions", measured.functions.len().to_string()),
        ("series", measured.series.to_string()),
        ("requests", digits(measured.total)),
        ("mean rate", format!("{}/s", digits(measured.mean_rate))),
        (
            "peak rate",
            format!("{}/s, {} times the mean", digits(measured.peak_rate), digits(measured.peak_to_mean)),
        ),
        ("dispersion", format!("{} (1: Poisson)", digits(measured.dispersion))),
        ("dispersion of a series", format!("{} median", digits(measured.series_dispersion.median))),
        ("autocorrelation", digits(measured.autocorrelation)),
        ("Gini over functions", digits(measured.gini)),
    ]);
    if top > 0 {
        let rows: Vec<Vec<String>> = measured
            .functions
            .iter()
            .take(top)
            .map(|function| {
                let share = format!("{:.1} %", 100.0 * function.share);
                let numbers = [function.total, function.peak_rate, function.dispersion].map(digits);
                let [total, peak, dispersion] = numbers;
                vec![function.function.clone(), total, share, peak, dispersion]
            })
            .collect();
        text.push('\n');
        text.push_str(&table(&["FUNCTION", "REQUESTS", "SHARE", "PEAK/S", "DISPERSION"], &rows));
    }
    Ok(text)
}

/// What a network is like.
pub(super) fn network(network: &Network, json: bool) -> Result<String, CommandError> {
    let measured = NetworkStatistics::of(network);
    if json {
        return to_json(&measured);
    }
    let spread = |name: &str, unit: f64, spread: Spread| {
        let numbers = [spread.min, spread.mean, spread.median, spread.p95, spread.max];
        std::iter::once(name.to_owned())
            .chain(numbers.map(|number| digits(unit * number)))
            .collect::<Vec<_>>()
    };
    let text = pairs(&[
        ("nodes", measured.nodes.to_string()),
        ("links", measured.links.to_string()),
        ("components", measured.components.to_string()),
        ("diameter", format!("{} hops, {} on average", measured.diameter, digits(measured.mean_hops))),
        ("clustering", digits(measured.clustering)),
    ]);
    let rows = [
        spread("neighbours", 1.0, measured.degree),
        spread("cores", 1.0, measured.cores),
        spread("link RTT, ms", 1e3, measured.link_rtt_s),
        spread("pair RTT, ms", 1e3, measured.pair_rtt_s),
    ];
    Ok(format!("{text}\n{}", table(&["", "MIN", "MEAN", "MEDIAN", "P95", "MAX"], &rows)))
}

fn to_json(value: &impl Serialize) -> Result<String, CommandError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|cause| CommandError::Failed(cause.to_string()))?;
    Ok(text + "\n")
}
