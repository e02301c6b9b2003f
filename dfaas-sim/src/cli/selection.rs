use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::ThreadPoolBuilder;

use super::CommandError;
use super::files::usage;
use super::seeds::Seeds;
use crate::scenario::{Scenario, ScenarioError};
use crate::study::techniques;

/// Which scenario, with what seeds, on how much of the machine.
#[derive(Debug, Clone, Args)]
pub struct Selection {
    /// The scenario, a file in TOML
    pub scenario: PathBuf,
    /// Seeds, as 1-3,7; a seed draws where nodes are, who is hot, and when users ask
    #[arg(long, default_value = "1", value_name = "LIST")]
    pub seeds: Seeds,
    /// Folder in which files that the scenario names are looked for; where the scenario is if absent
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Processors to use at most; all of them if absent
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZero<usize>>,
}

impl Selection {
    /// The scenario with its text.
    pub(super) fn read(&self) -> Result<(Scenario, String), CommandError> {
        let name = self.name();
        let text = std::fs::read_to_string(&self.scenario)
            .map_err(|cause| CommandError::Failed(format!("{name}: {cause}")))?;
        let scenario = Scenario::parse_in(&text, self.folder()).map_err(|error| match error {
            ScenarioError::Read { .. } | ScenarioError::Trace(_) | ScenarioError::Runs(_) => {
                CommandError::Failed(format!("{name}: {error}"))
            }
            ScenarioError::Syntax(_) | ScenarioError::Value { .. } => usage(format!("{name}: {error}")),
        })?;
        Ok((scenario, text))
    }

    /// Where files are that the scenario names.
    pub(super) fn folder(&self) -> &Path {
        self.data.as_deref().or(self.scenario.parent()).unwrap_or(Path::new(""))
    }

    /// The scenario's name: its file as it was given.
    pub(super) fn name(&self) -> String {
        self.scenario.display().to_string()
    }

    /// Does this on as many processors as may be used.
    pub(super) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, CommandError> + Send,
    ) -> Result<T, CommandError> {
        let threads = self.threads.map_or(0, NonZero::get);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map_err(|cause| CommandError::Failed(format!("cannot start threads: {cause}")))?.install(work)
    }
}

/// Names of techniques as they were typed, `all` among them, as a list in which each is once.
pub(super) fn named(typed: &[String]) -> Result<Vec<String>, CommandError> {
    let mut names: Vec<String> = Vec::new();
    for name in typed {
        if name == "all" {
            let others = techniques().filter(|other| !names.iter().any(|name| name == other));
            let others: Vec<String> = others.map(str::to_owned).collect();
            names.extend(others);
        } else if names.contains(name) {
            return Err(usage(format!("technique \"{name}\" is there twice")));
        } else if !techniques().any(|known| known == name) {
            let known: Vec<&str> = techniques().collect();
            return Err(usage(format!(
                "unknown technique \"{name}\"; known are {}, and all",
                known.join(", ")
            )));
        } else {
            names.push(name.clone());
        }
    }
    Ok(names)
}
