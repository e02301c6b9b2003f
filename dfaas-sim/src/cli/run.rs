use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::CommandError;
use super::selection::{Selection, named};
use super::table::table;
use crate::engine::run_in;
use crate::federation::Federation;
use crate::outcome::Outcome;

/// Runs a scenario.
#[derive(Debug, Clone, Args)]
pub struct RunCommand {
    /// Which scenario and seeds.
    #[command(flatten)]
    pub selection: Selection,
    /// Techniques, separated by commas; all: each that there is
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "lease")]
    pub techniques: Vec<String>,
    /// All that was counted, each second of each node too, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A run with all that was counted.
#[derive(Serialize)]
struct Ran<'a> {
    technique: &'a str,
    seed: u64,
    #[serde(flatten)]
    outcome: Outcome,
}

const HEAD: [&str; 16] = [
    "TECHNIQUE",
    "SEED",
    "REQUESTS",
    "GOODPUT",
    "WORK",
    "P50 MS",
    "P95 MS",
    "P99 MS",
    "FORWARDED",
    "OVERFLOWED",
    "LATE",
    "429",
    "503",
    "LOST",
    "BYTES/S",
    "SETTLED",
];

/// Runs `dfaas sim run`; what to print.
///
/// # Errors
/// [`CommandError`] says which file or argument is wrong, or which run failed.
pub fn run(command: &RunCommand, tell: &(dyn Fn(&str) + Sync)) -> Result<String, CommandError> {
    let techniques = named(&command.techniques)?;
    let (scenario, _) = command.selection.read()?;
    let seeds = &command.selection.seeds.0;
    let all: Vec<(&str, u64)> =
        techniques.iter().flat_map(|name| seeds.iter().map(move |seed| (name.as_str(), *seed))).collect();
    let one = |(technique, seed): &(&'_ str, u64)| {
        let outcome = run_in(&scenario, &Federation::new(&scenario, *seed), technique, *seed);
        let outcome = outcome.map_err(|error| CommandError::Failed(error.to_string()))?;
        tell(&format!("{technique}, seed {seed}"));
        Ok(outcome)
    };
    let outcomes: Vec<Outcome> =
        command.selection.within(|| all.par_iter().with_max_len(1).map(one).collect())?;
    let runs =
        all.iter().zip(outcomes).map(|((technique, seed), outcome)| Ran { technique, seed: *seed, outcome });
    let runs: Vec<Ran<'_>> = runs.collect();
    if let Some(path) = &command.json {
        let failed =
            |cause: &dyn std::fmt::Display| CommandError::Failed(format!("{}: {cause}", path.display()));
        let text = serde_json::to_vec(&runs).map_err(|cause| failed(&cause))?;
        std::fs::write(path, text).map_err(|cause| failed(&cause))?;
    }
    Ok(table(&HEAD, &runs.iter().map(row).collect::<Vec<_>>()))
}

fn row(run: &Ran<'_>) -> Vec<String> {
    let (of, ends) = (&run.outcome, &run.outcome.ends);
    let mut row = vec![run.technique.to_owned(), run.seed.to_string(), of.requests.to_string()];
    row.extend([of.goodput, of.work].map(|part| format!("{part:.4}")));
    row.extend([of.p50, of.p95, of.p99].map(|ms| format!("{ms:.1}")));
    row.extend([of.forwarded, of.overflowed].map(|part| format!("{part:.4}")));
    let busy = ends.rejected() - ends.unavailable;
    row.extend([ends.late, busy, ends.unavailable, ends.lost].map(|count| count.to_string()));
    row.push(format!("{:.0}", of.control_bytes_per_node_s));
    row.push(of.settle_s.map_or("-".to_owned(), |seconds| format!("{seconds:.0} s")));
    row
}
