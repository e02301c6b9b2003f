use std::path::PathBuf;

use crate::admin::ClientError;

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The agent cannot be asked.
    #[error(transparent)]
    Agent(#[from] ClientError),
    /// Its answer is none that is known.
    #[error("the agent's answer cannot be read ({0}); is it of another version?")]
    Answer(String),
    /// The interval has no meaning.
    #[error(transparent)]
    Interval(#[from] dfaas_sim::trace::TraceError),
    /// A file cannot be written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        cause: std::io::Error,
    },
    /// A file is there already.
    #[error("{path}: there already; choose another --output, or --force to replace it")]
    There {
        /// The file.
        path: PathBuf,
    },
    /// It ended before there was anything to keep.
    #[error("nothing was recorded: {0}")]
    Nothing(String),
    /// The scenario that was made is refused by the simulator.
    #[error("{path}: the recording is whole, but its scenario cannot be simulated: {cause}")]
    Scenario {
        /// The scenario.
        path: PathBuf,
        /// Why not.
        cause: dfaas_sim::ScenarioError,
    },
}
