use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::bounded::{RunBound, bound_of};
use super::store::{Store, StoreError};
use crate::bound::BoundError;
use crate::engine::{RunError, run_in};
use crate::federation::Federation;
use crate::outcome::Outcome;
use crate::scenario::Scenario;

/// The technique without sharing, by which harm is measured.
pub const ALONE: &str = "alllocal";

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Names of the techniques, each once.
    pub techniques: &'a [String],
    /// The seeds, each once.
    pub seeds: &'a [u64],
    /// Whether the best possible is looked for too, and if so, whether it is strict as [`bound_of`] says.
    pub bound: Option<bool>,
    /// Where finished runs are kept.
    pub store: Option<&'a Store>,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// What came out.
    pub outcome: Outcome,
    /// What users at nodes that were never overloaded lost to sharing: how much less of their requests was answered within
    /// the deadline than with [`ALONE`].
    pub harm: f64,
}

/// All runs of one technique.
#[derive(Debug, Clone, PartialEq)]
pub struct Runs {
    /// Its name.
    pub technique: String,
    /// By seed, in the order of the plan.
    pub runs: Vec<Run>,
}

/// What came out of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// In the order of the plan.
    pub techniques: Vec<Runs>,
    /// By seed; empty if it was not asked for.
    pub bounds: Vec<RunBound>,
}

/// One more is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// How many are done, this one among them.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// The technique, or `bound`.
    pub what: &'a str,
    /// The seed.
    pub seed: u64,
    /// Whether it was there already.
    pub kept: bool,
}

/// Why a study has no result.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A bound.
    #[error("bound, seed {seed}: {cause}")]
    Bound {
        /// The seed.
        seed: u64,
        /// Why there is none.
        cause: BoundError,
    },
    /// A kept result.
    #[error(transparent)]
    Store(#[from] StoreError),
}

enum Done {
    Run(Outcome),
    Bound(RunBound),
}

/// Runs all that is planned, on all processors of the machine; results do not depend on how many there are. `tell` is
/// called whenever one more is done, from any thread.
///
/// # Errors
/// The first run, bound or file that fails.
pub fn study(plan: &Plan<'_>, tell: &(dyn Fn(&Progress<'_>) + Sync)) -> Result<Study, StudyError> {
    let mut names: Vec<&str> = plan.techniques.iter().map(String::as_str).collect();
    if !names.contains(&ALONE) {
        names.push(ALONE);
    }
    let bound = plan.bound.map(|_| BOUND);
    let jobs: Vec<(&str, u64)> =
        bound.into_iter().chain(names.iter().copied()).flat_map(|name| each(name, plan.seeds)).collect();
    let done = AtomicUsize::new(0);
    let job = |(what, seed): &(&str, u64)| -> Result<Done, StudyError> {
        let (result, kept) = work(plan, what, *seed)?;
        let done = 1 + done.fetch_add(1, Ordering::Relaxed);
        tell(&Progress { done, all: jobs.len(), what, seed: *seed, kept });
        Ok(result)
    };
    let results: Vec<Done> = jobs.par_iter().with_max_len(1).map(job).collect::<Result<_, _>>()?;
    let (mut bounds, mut outcomes) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Done::Bound(bound) => bounds.push(bound),
            Done::Run(outcome) => outcomes.push(outcome),
        }
    }
    Ok(Study { seeds: plan.seeds.to_vec(), techniques: with_harm(plan, &names, outcomes), bounds })
}

/// Name of what is no technique.
const BOUND: &str = "bound";

fn each<'a>(name: &'a str, seeds: &'a [u64]) -> impl Iterator<Item = (&'a str, u64)> {
    seeds.iter().map(move |seed| (name, *seed))
}

fn work(plan: &Plan<'_>, what: &str, seed: u64) -> Result<(Done, bool), StudyError> {
    let federation = || Federation::new(plan.scenario, seed);
    if what == BOUND {
        let strict = plan.bound.unwrap_or(false);
        let name = format!("{BOUND}{}-{seed}", if strict { "-strict" } else { "" });
        let solve = || {
            bound_of(plan.scenario, &federation(), strict).map_err(|cause| StudyError::Bound { seed, cause })
        };
        let (bound, kept) = kept_or(plan.store, &name, solve)?;
        return Ok((Done::Bound(bound), kept));
    }
    let run = || Ok(run_in(plan.scenario, &federation(), what, seed)?);
    let (outcome, kept) = kept_or(plan.store, &format!("{what}-{seed}"), run)?;
    Ok((Done::Run(outcome), kept))
}

/// What is kept under this name, or else made now and kept; and whether it was there.
fn kept_or<T: serde::Serialize + serde::de::DeserializeOwned>(
    store: Option<&Store>,
    name: &str,
    make: impl FnOnce() -> Result<T, StudyError>,
) -> Result<(T, bool), StudyError> {
    let Some(store) = store else { return Ok((make()?, false)) };
    if let Some(result) = store.load(name)? {
        return Ok((result, true));
    }
    let result = make()?;
    store.save(name, &result)?;
    Ok((result, false))
}

/// Puts outcomes, by technique and then by seed, beside those of [`ALONE`].
fn with_harm(plan: &Plan<'_>, names: &[&str], outcomes: Vec<Outcome>) -> Vec<Runs> {
    let count = plan.seeds.len();
    let alone = names.iter().position(|name| *name == ALONE).unwrap_or(0) * count;
    let calm: Vec<Vec<bool>> = plan.seeds.iter().map(|seed| calm(plan.scenario, *seed)).collect();
    let served: Vec<f64> = outcomes[alone..]
        .iter()
        .zip(&calm)
        .map(|(outcome, calm)| outcome.goodput_of(|node| calm[node]))
        .collect();
    let mut outcomes = outcomes.into_iter();
    let mut runs = |name: &String| {
        let of_seed = |(index, seed): (usize, &u64)| {
            let outcome = outcomes.next()?;
            let harm = served[index] - outcome.goodput_of(|node| calm[index][node]);
            Some(Run { seed: *seed, outcome, harm })
        };
        let runs = plan.seeds.iter().enumerate().filter_map(of_seed).collect();
        Runs { technique: name.clone(), runs }
    };
    plan.techniques.iter().map(&mut runs).collect()
}

fn calm(scenario: &Scenario, seed: u64) -> Vec<bool> {
    let federation = Federation::new(scenario, seed);
    (0..federation.nodes()).map(|node| federation.is_never_overloaded(node)).collect()
}
