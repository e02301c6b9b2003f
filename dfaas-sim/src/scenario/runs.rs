use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Scenario, ScenarioError};
use crate::input::InputError;
use crate::network::Class;
use crate::profile::{FunctionState, MeasuredRun};

/// Nodes that repeat measured runs: each is drawn a kind, and one of the runs of that kind, whose rates and limits it takes.
/// This is how the original's simulator makes an instance.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// A folder that has one for each kind, and in it that kind's runs, files in JSON. A scenario that was read has the runs
    /// instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The kinds, by the names of their folders.
    pub kinds: Vec<Class>,
    /// The first and the last minute of a run that nodes repeat, counted from 0. The first one's rates hold in the warm-up too.
    pub minutes: (usize, usize),
    /// How long a minute of a run lasts.
    #[serde(with = "humantime_serde", default = "minute")]
    pub minute: Duration,
    /// What the rates of functions are multiplied with in minutes in which they were asked for more than they serve.
    #[serde(default = "one")]
    pub stress: f64,
    /// The runs.
    #[serde(default)]
    pub measured: Vec<Measured>,
}

/// What was measured at one node.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Its kind, as its number in [`Runs::kinds`].
    pub kind: usize,
    /// The functions that it has.
    pub functions: Vec<MeasuredFunction>,
}

/// What users asked of a function at a measured node.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredFunction {
    /// Its name.
    pub name: String,
    /// Most invocations a second that the node serves.
    pub max_rate: f64,
    /// Invocations a second, minute by minute.
    pub rates: Vec<f64>,
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

fn one() -> f64 {
    1.0
}

/// Puts the runs that the scenario's folder has, a folder in `folder`, in its place.
pub(super) fn resolve(scenario: &mut Scenario, folder: &Path) -> Result<(), ScenarioError> {
    let Some(runs) = &mut scenario.load.runs else { return Ok(()) };
    let Some(of) = runs.folder.take() else { return Ok(()) };
    for (kind, class) in runs.kinds.iter().enumerate() {
        for path in files(&folder.join(&of).join(&class.name)).map_err(ScenarioError::Runs)? {
            let name = path.display().to_string();
            let file = std::fs::File::open(&path).map_err(|cause| InputError::io(&name, &cause));
            let run = file.and_then(|file| MeasuredRun::read(&name, file)).map_err(ScenarioError::Runs)?;
            let measured = measured(kind, &run, runs.minutes, runs.stress);
            runs.measured
                .push(measured.map_err(|problem| ScenarioError::Runs(InputError::whole(&name, problem)))?);
        }
    }
    Ok(())
}

/// The runs in a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, InputError> {
    let name = folder.display().to_string();
    let read = |cause: std::io::Error| InputError::io(&name, &cause);
    let entries = std::fs::read_dir(folder).map_err(read)?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry.map_err(read)?.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    if paths.is_empty() {
        return Err(InputError::whole(&name, "has no measured run, a file that ends in .json"));
    }
    Ok(paths)
}

fn measured(
    kind: usize,
    run: &MeasuredRun,
    (first, last): (usize, usize),
    stress: f64,
) -> Result<Measured, String> {
    let minutes = run.output.get(first..=last).filter(|minutes| !minutes.is_empty());
    let minutes =
        minutes.ok_or_else(|| format!("has {} minutes; load.runs.minutes names others", run.output.len()))?;
    let mut functions: Vec<MeasuredFunction> = Vec::new();
    for (minute, instant) in minutes.iter().enumerate() {
        for of in &instant.functions {
            let at = functions.iter().position(|function| function.name == of.name).unwrap_or_else(|| {
                let rates = vec![0.0; minutes.len()];
                functions.push(MeasuredFunction { name: of.name.clone(), max_rate: of.max_rate, rates });
                functions.len() - 1
            });
            let factor = if of.state == FunctionState::Overload { stress } else { 1.0 };
            functions[at].max_rate = functions[at].max_rate.min(of.max_rate);
            functions[at].rates[minute] = of.invoc_rate * factor;
        }
    }
    Ok(Measured { kind, functions })
}
