use super::state::{FunctionState, StateWord};

/// How many metrics there are.
pub(super) const METRICS: usize = 8;

/// The weight of each of these helpers for a function, by the eight metrics of `dfaas-empirical`: each metric is a
/// distribution over the helpers, and their mean is the weight. All together are 1.
///
/// Instances and margin weigh as they are; utilisation (rate / max rate), time of execution, memory and processors in use,
/// and memory and processors of the function weigh inversely. A metric that is 0 for all says nothing and weighs all
/// alike.
pub(super) fn weights(helpers: &[(&StateWord, &FunctionState)]) -> Vec<f64> {
    let rows: Vec<[f64; METRICS]> = helpers.iter().map(|(node, function)| metrics(node, function)).collect();
    let mut weights = vec![0.0; helpers.len()];
    for metric in 0..METRICS {
        let sum: f64 = rows.iter().map(|row| row[metric]).sum();
        for (weight, row) in weights.iter_mut().zip(&rows) {
            let part = if sum > 0.0 { row[metric] / sum } else { 1.0 / rows.len() as f64 };
            *weight += part / METRICS as f64;
        }
    }
    weights
}

/// What each metric says of one helper: more is better.
fn metrics(node: &StateWord, function: &FunctionState) -> [f64; METRICS] {
    // What is 0 counts as one invocation a second, a millisecond, or a hundredth.
    let inverse = |value: f64, least: f64| 1.0 / if value > 0.0 { value } else { least };
    let most = function.max_rate.unwrap_or(f64::INFINITY);
    let utilisation = if function.rate > 0.0 { function.rate } else { 1.0 } / most;
    let metrics = [
        f64::from(function.replicas),
        function.margin,
        1.0 / utilisation,
        inverse(function.time, 0.001),
        inverse(node.memory, 0.01),
        inverse(node.cpu, 0.01),
        // Memory of single functions is not measured here: as of a function that takes none.
        inverse(0.0, 0.01),
        inverse(function.cpu, 0.01),
    ];
    metrics.map(|metric| if metric.is_finite() { metric.clamp(0.0, 1e12) } else { 0.0 })
}
