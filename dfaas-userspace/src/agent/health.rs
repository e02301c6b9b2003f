use serde::{Deserialize, Serialize};

/// One thing that must work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `dataplane`, `gateway`, `plans`, `overlay`, or `gateway` and the name of one at an address of its own.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// Why not, or how well.
    pub reason: String,
}

impl Check {
    /// A check from its outcome; both sides say why.
    pub fn new(name: &str, outcome: Result<String, String>) -> Self {
        let ok = outcome.is_ok();
        Self { name: name.to_owned(), ok, reason: outcome.unwrap_or_else(|reason| reason) }
    }
}

/// How the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether every check is well.
    pub ok: bool,
    /// Each check.
    pub checks: Vec<Check>,
}

impl Health {
    /// Well if every check is.
    pub fn new(checks: Vec<Check>) -> Self {
        Self { ok: checks.iter().all(|check| check.ok), checks }
    }
}
