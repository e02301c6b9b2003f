use serde::Serialize;

use super::bounded::RunBound;
use super::indexes::Indexes;
use super::runs::{Run, Runs};
use crate::federation::Federation;
use crate::outcome::Outcome;
use crate::scenario::Scenario;

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error: the deviation between seeds over the root of their number; 0 for one seed.
    pub error: f64,
}

impl Mean {
    /// Of these; 0 of none.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = if values.len() > 1 { (squares / (count - 1.0) / count).sqrt() } else { 0.0 };
        Self { mean, error }
    }
}

/// One technique in numbers, each the mean over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub technique: String,
    /// The part of the requests answered within the deadline.
    pub goodput: Mean,
    /// The part of the processor time asked for, likewise.
    pub work: Mean,
    /// Times to the answer (ms).
    pub p50_ms: f64,
    /// See `p50_ms`.
    pub p95_ms: f64,
    /// See `p50_ms`.
    pub p99_ms: f64,
    /// The part of the requests answered 429 or 503.
    pub rejected: f64,
    /// The part of the requests that a peer was given.
    pub forwarded: f64,
    /// What users at nodes never overloaded lose, as [`Run::harm`].
    pub harm: f64,
    /// Jain's index over the nodes' parts of requests answered in time: 1 if all users are served alike (Jain, Chiu and
    /// Hawe, DEC-TR-301, 1984).
    pub fairness: f64,
    /// Bytes of messages that a node sends a second.
    pub control_bytes_per_node_s: f64,
    /// Seconds from the change until plans are still; `None` if there is no change, or in any run they never are.
    pub settle_s: Option<f64>,
    /// The part of what users ask for by which plans change from one second to the next, in the second half of the time.
    pub oscillation: f64,
    /// The indexes of the original's simulator.
    pub indexes: Indexes,
}

impl Summary {
    /// Of a technique's runs of this scenario.
    pub fn of(scenario: &Scenario, runs: &Runs) -> Self {
        let mean = |of: &dyn Fn(&Run) -> f64| Mean::of(&runs.runs.iter().map(of).collect::<Vec<_>>());
        let settled: Option<Vec<f64>> = runs.runs.iter().map(|run| run.outcome.settle_s).collect();
        let federation = |run: &Run| Federation::new(scenario, run.seed);
        let measured = runs.runs.iter().map(|run| Indexes::of(scenario, &federation(run), &run.outcome));
        Self {
            technique: runs.technique.clone(),
            goodput: mean(&|run| run.outcome.goodput),
            work: mean(&|run| run.outcome.work),
            p50_ms: mean(&|run| run.outcome.p50).mean,
            p95_ms: mean(&|run| run.outcome.p95).mean,
            p99_ms: mean(&|run| run.outcome.p99).mean,
            rejected: mean(&|run| run.outcome.ends.rejected() as f64 / run.outcome.requests.max(1) as f64)
                .mean,
            forwarded: mean(&|run| run.outcome.forwarded).mean,
            harm: mean(&|run| run.harm).mean,
            fairness: mean(&|run| fairness(&run.outcome)).mean,
            control_bytes_per_node_s: mean(&|run| run.outcome.control_bytes_per_node_s).mean,
            settle_s: settled.filter(|all| !all.is_empty()).map(|all| Mean::of(&all).mean),
            oscillation: mean(&|run| oscillation(&run.outcome)).mean,
            indexes: Indexes::mean(&measured.collect::<Vec<_>>()),
        }
    }
}

fn fairness(outcome: &Outcome) -> f64 {
    let asked = |node: &usize| outcome.series[*node].iter().any(|second| second.asked > 0);
    let nodes = (0..outcome.series.len()).filter(asked);
    let parts: Vec<f64> = nodes.map(|node| outcome.goodput_of(|other| other == node)).collect();
    let (sum, squares) = (parts.iter().sum::<f64>(), parts.iter().map(|part| part * part).sum::<f64>());
    if squares > 0.0 { sum * sum / (parts.len() as f64 * squares) } else { 1.0 }
}

fn oscillation(outcome: &Outcome) -> f64 {
    let (mut moved, mut whole) = (0.0, 0.0);
    for seconds in &outcome.series {
        for pair in seconds[seconds.len() / 2..].windows(2) {
            moved += f64::from(pair[1].asked) * (pair[1].local - pair[0].local).abs();
            whole += f64::from(pair[1].asked);
        }
    }
    if whole > 0.0 { moved / whole } else { 0.0 }
}

/// The bound in numbers, each the mean over the seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoundSummary {
    /// As those of [`RunBound`].
    pub goodput: f64,
    /// See `goodput`.
    pub work: f64,
    /// See `goodput`.
    pub forwarded: f64,
    /// See `goodput`.
    pub goodput_everyone: f64,
    /// See `goodput`.
    pub work_everyone: f64,
}

impl BoundSummary {
    /// Of all seeds; nothing if there is no bound.
    pub fn of(bounds: &[RunBound]) -> Option<Self> {
        let mean = |of: fn(&RunBound) -> f64| Mean::of(&bounds.iter().map(of).collect::<Vec<_>>()).mean;
        (!bounds.is_empty()).then(|| Self {
            goodput: mean(|bound| bound.goodput),
            work: mean(|bound| bound.work),
            forwarded: mean(|bound| bound.forwarded),
            goodput_everyone: mean(|bound| bound.goodput_everyone),
            work_everyone: mean(|bound| bound.work_everyone),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_tells_how_far_seeds_lie_apart() {
        let mean = Mean::of(&[0.8, 0.9, 1.0]);
        assert!((mean.mean - 0.9).abs() < 1e-12);
        assert!((mean.error - 0.1 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(Mean::of(&[0.5]), Mean { mean: 0.5, error: 0.0 });
    }
}
