use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use crate::config::ConfigErrors;

/// Why a command ends without success.
#[derive(Debug)]
pub(super) enum Failure {
    /// Wrong usage or configuration: exit code 2. Each line says all by itself.
    Usage(String),
    /// Everything else: exit code 1.
    Failed(String),
}

impl Failure {
    /// Prints the reason to standard error; the exit code.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Self::Usage(text) => {
                eprintln!("{text}");
                ExitCode::from(2)
            }
            Self::Failed(text) => {
                eprintln!("dfaas: {text}");
                ExitCode::FAILURE
            }
        }
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Usage(errors.to_string())
    }
}

impl From<dfaas_sim::cli::CommandError> for Failure {
    fn from(error: dfaas_sim::cli::CommandError) -> Self {
        match error {
            dfaas_sim::cli::CommandError::Usage(text) => Self::Usage(text),
            dfaas_sim::cli::CommandError::Failed(text) => Self::Failed(text),
        }
    }
}

/// Prints a command's whole output. A reader that has gone (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<ExitCode, Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(cause) => Err(Failure::Failed(format!("standard output: {cause}"))),
    }
}
