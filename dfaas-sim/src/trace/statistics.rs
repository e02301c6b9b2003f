use std::collections::BTreeMap;

use serde::Serialize;

use super::Trace;
use crate::network::Spread;

/// What characterises the load of one function, over all nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionStatistics {
    /// Its name.
    pub function: String,
    /// Requests in the whole trace.
    pub total: f64,
    /// Share of all requests.
    pub share: f64,
    /// Requests a second in the busiest interval.
    pub peak_rate: f64,
    /// Index of dispersion of its counts.
    pub dispersion: f64,
}

/// What characterises a trace. Rates are requests a second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceStatistics {
    /// When it begins, in seconds.
    pub start_s: f64,
    /// How long an interval is, in seconds.
    pub interval_s: f64,
    /// Intervals.
    pub intervals: usize,
    /// How long it is, in seconds.
    pub duration_s: f64,
    /// Nodes that are named.
    pub nodes: usize,
    /// Pairs of node and function.
    pub series: usize,
    /// Requests.
    pub total: f64,
    /// Mean rate.
    pub mean_rate: f64,
    /// Rate in the busiest interval.
    pub peak_rate: f64,
    /// Peak over mean; zero without requests.
    pub peak_to_mean: f64,
    /// Index of dispersion of the counts of all series together: variance over mean, 1 for a Poisson process with a
    /// constant rate, more for bursts (Cox and Lewis, The Statistical Analysis of Series of Events, 1966).
    pub dispersion: f64,
    /// The same of each single series that has requests.
    pub series_dispersion: Spread,
    /// Correlation of the total of one interval with that of the next: near 1 where load changes slowly.
    pub autocorrelation: f64,
    /// How unequally requests are spread over the functions, 0 if evenly, near 1 if one has nearly all (Gini).
    pub gini: f64,
    /// The functions, those with most requests first.
    pub functions: Vec<FunctionStatistics>,
}

impl TraceStatistics {
    /// Measures a trace.
    pub fn of(trace: &Trace) -> Self {
        let all = trace.total();
        let total: f64 = all.iter().sum();
        let rate = |count: f64| count / trace.interval();
        let peak_rate = rate(peak(&all));
        let mean_rate = if trace.duration() > 0.0 { total / trace.duration() } else { 0.0 };
        let busy = trace.series().map(|(_, counts)| counts).filter(|counts| peak(counts) > 0.0);
        let mut by_function: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (key, counts) in trace.series() {
            let sums = by_function.entry(&key.function).or_insert_with(|| vec![0.0; counts.len()]);
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let mut functions: Vec<FunctionStatistics> = by_function
            .into_iter()
            .map(|(function, counts)| {
                let own: f64 = counts.iter().sum();
                FunctionStatistics {
                    function: function.to_owned(),
                    total: own,
                    share: if total > 0.0 { own / total } else { 0.0 },
                    peak_rate: rate(peak(&counts)),
                    dispersion: dispersion(&counts),
                }
            })
            .collect();
        functions.sort_by(|a, b| b.total.total_cmp(&a.total).then_with(|| a.function.cmp(&b.function)));
        Self {
            start_s: trace.start(),
            interval_s: trace.interval(),
            intervals: trace.intervals(),
            duration_s: trace.duration(),
            nodes: trace.nodes().len(),
            series: trace.series().len(),
            total,
            mean_rate,
            peak_rate,
            peak_to_mean: if mean_rate > 0.0 { peak_rate / mean_rate } else { 0.0 },
            dispersion: dispersion(&all),
            series_dispersion: Spread::of(busy.map(dispersion)),
            autocorrelation: autocorrelation(&all),
            gini: gini(functions.iter().rev().map(|function| function.total)),
            functions,
        }
    }
}

fn peak(counts: &[f64]) -> f64 {
    counts.iter().copied().fold(0.0, f64::max)
}

fn mean(counts: &[f64]) -> f64 {
    if counts.is_empty() { 0.0 } else { counts.iter().sum::<f64>() / counts.len() as f64 }
}

/// Variance over mean; zero without requests.
fn dispersion(counts: &[f64]) -> f64 {
    let mean = mean(counts);
    if mean <= 0.0 {
        return 0.0;
    }
    counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
}

/// Correlation of each count with the next; zero where nothing changes.
fn autocorrelation(counts: &[f64]) -> f64 {
    let mean = mean(counts);
    let variance: f64 = counts.iter().map(|count| (count - mean).powi(2)).sum();
    let next: f64 = counts.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    if variance > 0.0 { next / variance } else { 0.0 }
}

/// Gini coefficient of numbers that do not fall.
fn gini(rising: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut sum, mut weighted) = (0.0, 0.0, 0.0);
    for value in rising {
        count += 1.0;
        sum += value;
        weighted += count * value;
    }
    if sum > 0.0 { 2.0 * weighted / (count * sum) - (count + 1.0) / count } else { 0.0 }
}
