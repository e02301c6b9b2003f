//! What is simulated: a file in TOML.
//!
//! Keys that do not exist, values that cannot be and things that do not fit together are errors which name the line and
//! column, or the key.

mod check;
mod failure;
mod function;
mod load;
mod network;
mod nodes;
mod recorded;
mod runs;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::input::InputError;

pub use failure::{Failure, What};
pub use function::{Catalogue, Function, Law};
pub use load::{Load, Piece, Step, Variability};
pub use network::Network;
pub use nodes::{Discipline, Nodes};
pub use runs::{Measured, MeasuredFunction, Runs};

/// A federation, what its users ask for, and what fails.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Time before anything counts, in which strategies get to know the load. Other times count from its end.
    #[serde(with = "humantime_serde", default)]
    pub warmup: Duration,
    /// Time in which users ask. What they have asked for by its end is still served.
    #[serde(with = "humantime_serde")]
    pub duration: Duration,
    /// Time between ticks of the strategies, each of them 10 % shorter or longer by chance.
    #[serde(with = "humantime_serde", default = "second")]
    pub period: Duration,
    /// The machines.
    pub nodes: Nodes,
    /// What lies between them.
    #[serde(default)]
    pub network: Network,
    /// What they serve, each node all of it.
    #[serde(default)]
    pub functions: Vec<Function>,
    /// Functions that are drawn, in place of those named.
    pub catalogue: Option<Catalogue>,
    /// What users ask for.
    pub load: Load,
    /// What goes wrong.
    #[serde(default)]
    pub failures: Vec<Failure>,
}

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Why a scenario cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("{path}: {cause}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It is not TOML, or has a key or value that does not exist; the message names line and column.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// The trace that its load names.
    #[error("load.trace: {0}")]
    Trace(#[from] InputError),
    /// The measured runs that its load names.
    #[error("load.runs: {0}")]
    Runs(InputError),
    /// A value that cannot be meant.
    #[error("{key}: {problem}")]
    Value {
        /// Path of the key.
        key: String,
        /// What is wrong, and what would not be.
        problem: String,
    },
}

impl Scenario {
    /// Reads a scenario from TOML; files that it names are looked for in the working directory.
    ///
    /// # Errors
    /// With the line and column of what is not understood, or the key of what cannot be meant.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Self::parse_in(text, Path::new(""))
    }

    /// Reads a scenario from TOML; files that it names are looked for in this folder.
    ///
    /// # Errors
    /// As [`Scenario::parse`], and if one of those cannot be read.
    pub fn parse_in(text: &str, folder: &Path) -> Result<Self, ScenarioError> {
        let mut scenario: Self = toml::from_str(text)?;
        recorded::resolve(&mut scenario, folder)?;
        runs::resolve(&mut scenario, folder)?;
        check::check(&scenario)?;
        Ok(scenario)
    }

    /// Reads a scenario from a file; files that it names are looked for beside it.
    ///
    /// # Errors
    /// As [`Scenario::parse`], and if the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|cause| ScenarioError::Read { path: path.display().to_string(), cause })?;
        Self::parse_in(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// The scenario as a file. What [`Scenario::parse`] makes of it is the same.
    pub fn to_toml(&self) -> String {
        // Keys are names of fields, and a type that has no form in TOML is in no scenario.
        toml::to_string(self).unwrap_or_else(|error| format!("# {error}"))
    }
}
