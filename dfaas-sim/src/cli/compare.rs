use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use super::outputs::Outputs;
use super::selection::{Selection, named};
use crate::report::{self, Report};
use crate::scenario::Scenario;
use crate::study::{Plan, Progress, Store, Study, StudyError, key, study};

/// Runs techniques side by side.
#[derive(Debug, Clone, Args)]
pub struct Compare {
    /// Which scenario and seeds.
    #[command(flatten)]
    pub selection: Selection,
    /// Techniques, separated by commas; all: each that there is
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "alllocal,static,recalc,nodemargin,p2c,lease"
    )]
    pub techniques: Vec<String>,
    /// Keep each finished run in this folder, and take from there what an earlier command with the same scenario and
    /// program has finished
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Leave the best possible out, which takes long where nodes or functions are many
    #[arg(long)]
    pub no_bound: bool,
    /// Let the best possible do work up to a deadline after its window: no run can beat that
    #[arg(long, conflicts_with = "no_bound")]
    pub strict: bool,
    /// Print the indexes of the original's simulator too
    #[arg(long)]
    pub indexes: bool,
    /// Files to write.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Runs `dfaas sim compare`; what to print.
///
/// # Errors
/// [`CommandError`] says which file or argument is wrong, or which run failed.
pub fn compare(command: &Compare, tell: &(dyn Fn(&str) + Sync)) -> Result<String, CommandError> {
    let techniques = named(&command.techniques)?;
    let (scenario, text) = command.selection.read()?;
    command.outputs.check()?;
    let store = command.out.as_ref().map(|folder| open(folder, &scenario)).transpose()?;
    let plan = Plan {
        scenario: &scenario,
        techniques: &techniques,
        seeds: &command.selection.seeds.0,
        bound: (!command.no_bound).then_some(command.strict),
        store: store.as_ref(),
    };
    let study = command.selection.within(|| finish(&plan, tell))?;
    let name = command.selection.name();
    let again = again(command, &name, &techniques);
    let report = Report::new(&name, &text, &again, &scenario, &study);
    let mut printed = report::table(&report);
    if command.indexes {
        printed.push('\n');
        printed.push_str(&report::indexes(&report));
    }
    printed.push_str(&command.outputs.write(&report)?);
    Ok(printed)
}

/// Runs a plan and tells of each run.
pub(super) fn finish(plan: &Plan<'_>, tell: &(dyn Fn(&str) + Sync)) -> Result<Study, CommandError> {
    let progress = |one: &Progress<'_>| {
        let kept = if one.kept { ", kept" } else { "" };
        let Progress { done, all, what, seed, .. } = one;
        tell(&format!("{done} of {all}: {what}, seed {seed}{kept}"));
    };
    study(plan, &progress).map_err(failed)
}

fn failed(error: StudyError) -> CommandError {
    CommandError::Failed(error.to_string())
}

/// Results are those of all that a scenario says, its trace included, and of the program that is running: another build may
/// decide otherwise.
fn open(folder: &Path, scenario: &Scenario) -> Result<Store, CommandError> {
    let program = std::env::current_exe().and_then(std::fs::read);
    let program =
        program.map_err(|cause| CommandError::Failed(format!("the program's own file: {cause}")))?;
    let key = key(&[format!("{scenario:?}").as_bytes(), report::VERSION.as_bytes(), &program]);
    Store::open(folder, key).map_err(|error| CommandError::Failed(error.to_string()))
}

/// The command that gives the same figures.
fn again(command: &Compare, name: &str, techniques: &[String]) -> String {
    let seeds = report::seeds(&command.selection.seeds.0);
    let mut text = format!("dfaas sim compare {name} --techniques {} --seeds {seeds}", techniques.join(","));
    if let Some(data) = &command.selection.data {
        text.push_str(&format!(" --data {}", data.display()));
    }
    for (flag, set) in [(" --no-bound", command.no_bound), (" --strict", command.strict)] {
        if set {
            text.push_str(flag);
        }
    }
    text
}
