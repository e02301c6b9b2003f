//! `dfaas doctor`: what this machine can do, and what stands in the way.

mod families;
mod firewall;
mod gateway;
mod kernel;
mod links;
mod overlay;
mod ports;
mod reach;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{Config, ConfigErrors};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it must be.
    Ok,
    /// Works, with a drawback.
    Warn,
    /// The agent cannot work so.
    Fail,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it is.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do; empty if nothing.
    pub advice: String,
}

impl Finding {
    fn ok(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.to_owned(), level: Level::Ok, found: found.into(), advice: String::new() }
    }

    fn warn(check: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check: check.to_owned(), level: Level::Warn, found: found.into(), advice: advice.into() }
    }

    fn fail(check: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check: check.to_owned(), level: Level::Fail, found: found.into(), advice: advice.into() }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Whether nothing failed.
    pub ok: bool,
    /// In the order of the checks.
    pub findings: Vec<Finding>,
}

/// Looks at the machine and, with a configuration, at what it names. Changes nothing.
pub async fn examine(config: Option<Result<Config, ConfigErrors>>) -> Diagnosis {
    let default_pin = Path::new("/sys/fs/bpf/dfaas");
    let mut findings = Vec::new();
    let config = match config {
        None => None,
        Some(Ok(config)) => {
            findings.push(Finding::ok("configuration", config.file.display().to_string()));
            Some(config)
        }
        Some(Err(errors)) => {
            let advice = "correct the line; checks of what it names are left out";
            findings.extend(
                errors.0.iter().map(|error| Finding::fail("configuration", error.to_string(), advice)),
            );
            None
        }
    };
    findings.extend(kernel::examine(config.as_ref().map_or(default_pin, |config| &config.dataplane.pin)));
    if let Some(config) = &config {
        findings.extend(links::examine(&config.dataplane));
        findings.extend(ports::examine(&config.dataplane));
        findings.extend(reach::examine(config));
        findings.extend(families::examine(config).await);
        findings.extend(overlay::examine(config));
        findings.extend(gateway::examine(config).await);
        findings.extend(firewall::examine(&config.dataplane).await);
    }
    Diagnosis { ok: findings.iter().all(|finding| finding.level != Level::Fail), findings }
}
