use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong with a configuration file. Prints as one line: file, line, key, reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Line in it, from 1, where known.
    pub line: Option<usize>,
    /// Dotted path of the key; empty if the file as a whole is meant.
    pub key: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        // Whatever a library answered stays on this line.
        write!(f, ": {}", self.reason.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Everything that is wrong with a configuration file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl ConfigErrors {
    /// One error about the key `key` of `file` that has no line.
    pub fn one(file: &Path, key: &str, reason: impl Into<String>) -> Self {
        Self(vec![ConfigError {
            file: file.to_owned(),
            line: None,
            key: key.to_owned(),
            reason: reason.into(),
        }])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
