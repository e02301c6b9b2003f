use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Runs;

/// What users ask for: independent arrivals (Poisson) at each node, with rates that change in pieces.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Work that all users together ask for, over all processors; in proportion to each node's processors where nothing
    /// else is said. With `trace` or `rates` what they say is scaled to this mean of the time after the warm-up; 0: it
    /// is left as it is.
    pub utilisation: f64,
    /// Some nodes become hot.
    pub step: Option<Step>,
    /// Rates vary.
    pub variability: Option<Variability>,
    /// Rates by node and function, in place of step and variability.
    pub rates: Vec<Piece>,
    /// A trace to take `rates` from, a recording or, if it ends in `.json`, one of k6. It begins with the time that counts;
    /// its first interval holds in the warm-up too, and after its end nobody asks. A scenario that was read has the rates
    /// instead.
    pub trace: Option<PathBuf>,
    /// Measured nodes to repeat, in place of all of these.
    pub runs: Option<Runs>,
}

/// Users move: from a moment on some nodes have more of the load, and all together as much as before.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    #[serde(with = "humantime_serde")]
    pub at: Duration,
    /// When it ends; nothing: never.
    #[serde(with = "humantime_serde", default)]
    pub until: Option<Duration>,
    /// The part of the nodes that become hot.
    pub hot: f64,
    /// How many times the work a processor that other nodes have is asked of hot ones.
    pub factor: f64,
    /// The hot ones are one region: a node that is drawn, and those nearest to it.
    #[serde(default)]
    pub region: bool,
}

/// The rate of each function at each node is drawn anew again and again; all together stay as they are in the mean.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Variability {
    /// How often.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// Standard deviation of the logarithm of what a rate is multiplied with.
    pub spread: f64,
}

/// A rate from a moment on.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Since when; a piece from 0 on holds in the warm-up too.
    #[serde(with = "humantime_serde", default)]
    pub from: Duration,
    /// The node, counted from 0.
    pub node: usize,
    /// The function's name.
    pub function: String,
    /// Invocations a second.
    pub rate: f64,
}
