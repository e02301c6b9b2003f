//! What is wrong with a configuration file, and where.

use std::fmt;
use std::path::PathBuf;

/// What is wrong with a configuration file. Displays as one line: file, line or key, reason.
#[derive(Debug, thiserror::Error)]
#[error("{}{place}: {reason}", file.display())]
pub struct ConfigError {
    pub(super) file: PathBuf,
    pub(super) place: Place,
    pub(super) reason: String,
}

/// Where in the file the error is.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    File,
    Line(usize, Option<String>),
    Key(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line, None) => write!(f, ":{line}"),
            Self::Line(line, Some(key)) => write!(f, ":{line}: {key}"),
            Self::Key(key) => write!(f, ": {key}"),
        }
    }
}

impl Place {
    /// The line of a byte, counted from 1, and the key on that line where there is one.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let content = text.lines().nth(line - 1).unwrap_or_default();
        let key = content.split_once('=').map(|(key, _)| key.trim().to_owned());
        Self::Line(line, key.filter(|key| !key.is_empty() && !key.starts_with('#')))
    }
}
