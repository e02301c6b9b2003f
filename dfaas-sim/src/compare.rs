//! Strategies side by side, on the same users.

use rayon::prelude::*;

use crate::engine::{RunError, run_in};
use crate::federation::Federation;
use crate::outcome::Outcome;
use crate::scenario::Scenario;

/// One strategy with one seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The strategy.
    pub technique: String,
    /// The seed.
    pub seed: u64,
    /// What came out.
    pub outcome: Outcome,
    /// What users at nodes that were never overloaded lost to it: how much less of their requests was answered within the
    /// deadline than with `alllocal`.
    pub harm: f64,
}

/// Runs each of these strategies with each of these seeds, on all processors; rows in the order of the strategies, then of
/// the seeds. With one seed all strategies meet the same requests.
///
/// # Errors
/// The first one.
pub fn compare(scenario: &Scenario, techniques: &[&str], seeds: &[u64]) -> Result<Vec<Row>, RunError> {
    let alone: Vec<Outcome> = in_parallel(scenario, &["alllocal"], seeds)?;
    let outcomes = in_parallel(scenario, techniques, seeds)?;
    let runs = techniques.iter().flat_map(|technique| seeds.iter().map(move |seed| (technique, seed)));
    let rows = runs.zip(outcomes).enumerate().map(|(index, ((technique, seed), outcome))| {
        let federation = Federation::new(scenario, *seed);
        let calm = |node| federation.is_never_overloaded(node);
        let harm = alone[index % seeds.len()].goodput_of(calm) - outcome.goodput_of(calm);
        Row { technique: (*technique).to_owned(), seed: *seed, harm, outcome }
    });
    Ok(rows.collect())
}

fn in_parallel(scenario: &Scenario, techniques: &[&str], seeds: &[u64]) -> Result<Vec<Outcome>, RunError> {
    let runs: Vec<(&str, u64)> =
        techniques.iter().flat_map(|technique| seeds.iter().map(move |seed| (*technique, *seed))).collect();
    let run = |(technique, seed): &(&str, u64)| {
        run_in(scenario, &Federation::new(scenario, *seed), technique, *seed)
    };
    runs.par_iter().map(run).collect()
}
