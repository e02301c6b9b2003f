use std::time::Duration;

use serde::Deserialize;

/// Something that goes wrong, or a node that comes late.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// When.
    #[serde(with = "humantime_serde")]
    pub at: Duration,
    /// Until when; nothing: for ever.
    #[serde(with = "humantime_serde", default)]
    pub until: Option<Duration>,
    /// What.
    pub what: What,
    /// The nodes, counted from 0.
    pub nodes: Vec<usize>,
    /// `slow`: how many times as long everything takes.
    pub factor: Option<f64>,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The nodes are gone with all that is under way there, and so is what their users ask for.
    Kill,
    /// The nodes come only now. `until` has no meaning.
    Join,
    /// Nothing passes between these nodes and all others.
    Partition,
    /// The nodes take what peers send and answer nothing; their agents notice nothing.
    BlackHole,
    /// Everything takes `factor` times as long there.
    Slow,
}
