use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::CommandError;
use super::selection::Selection;
use super::table::table;
use crate::federation::Federation;
use crate::study::{RunBound, WINDOW_S, bound_of};

/// Looks for the best possible.
#[derive(Debug, Clone, Args)]
pub struct Bound {
    /// Which scenario and seeds.
    #[command(flatten)]
    pub selection: Selection,
    /// Do work up to a deadline after its window: no run can beat that
    #[arg(long)]
    pub strict: bool,
    /// Print each window of ten seconds
    #[arg(long)]
    pub windows: bool,
    /// All figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

#[derive(Serialize)]
struct OfSeed<'a> {
    seed: u64,
    #[serde(flatten)]
    bound: &'a RunBound,
}

/// Runs `dfaas sim bound`; what to print.
///
/// # Errors
/// [`CommandError`] says which file or argument is wrong, or what the solver could not do.
pub fn bound(command: &Bound, tell: &(dyn Fn(&str) + Sync)) -> Result<String, CommandError> {
    let (scenario, _) = command.selection.read()?;
    let seeds = &command.selection.seeds.0;
    let one = |seed: &u64| {
        let bound = bound_of(&scenario, &Federation::new(&scenario, *seed), command.strict)
            .map_err(|error| CommandError::Failed(format!("seed {seed}: {error}")))?;
        tell(&format!("bound, seed {seed}"));
        Ok(bound)
    };
    let bounds: Vec<RunBound> =
        command.selection.within(|| seeds.par_iter().with_max_len(1).map(one).collect())?;
    if let Some(path) = &command.json {
        let failed =
            |cause: &dyn std::fmt::Display| CommandError::Failed(format!("{}: {cause}", path.display()));
        let all: Vec<OfSeed<'_>> =
            seeds.iter().zip(&bounds).map(|(seed, bound)| OfSeed { seed: *seed, bound }).collect();
        let text = serde_json::to_vec_pretty(&all).map_err(|cause| failed(&cause))?;
        std::fs::write(path, text).map_err(|cause| failed(&cause))?;
    }
    let mut text = format!("the best of windows of {WINDOW_S} s, as parts of what is asked for\n");
    text.push_str(&whole(seeds, &bounds));
    if command.windows {
        text.push('\n');
        text.push_str(&windows(seeds, &bounds));
    }
    Ok(text)
}

fn whole(seeds: &[u64], bounds: &[RunBound]) -> String {
    let head = ["SEED", "ASKED", "REQUESTS", "WORK", "FORWARDED", "EVERYONE", "WORK", "PARTIAL VIEW", "WORK"];
    let ratio = |some: f64, all: f64| if all > 0.0 { some / all } else { 1.0 };
    let row = |(seed, of): (&u64, &RunBound)| {
        let parts = [
            of.goodput,
            of.work,
            of.forwarded,
            of.goodput_everyone,
            of.work_everyone,
            ratio(of.goodput, of.goodput_everyone),
            ratio(of.work, of.work_everyone),
        ];
        let mut row = vec![seed.to_string(), format!("{:.0}", of.asked)];
        row.extend(parts.map(|part| format!("{part:.4}")));
        row
    };
    table(&head, &seeds.iter().zip(bounds).map(row).collect::<Vec<_>>())
}

fn windows(seeds: &[u64], bounds: &[RunBound]) -> String {
    let mut rows = Vec::new();
    for (seed, bound) in seeds.iter().zip(bounds) {
        for window in &bound.windows {
            let mut row =
                vec![seed.to_string(), format!("{}", window.start_s), format!("{:.0}", window.asked)];
            row.extend([window.goodput, window.work].map(|part| format!("{part:.4}")));
            rows.push(row);
        }
    }
    table(&["SEED", "FROM S", "ASKED", "REQUESTS", "WORK"], &rows)
}
