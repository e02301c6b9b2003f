//! What the user can choose.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

/// Options of `demo`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Number of nodes
    #[arg(long, default_value_t = 3)]
    pub nodes: u8,
    /// Length of each of the two phases
    #[arg(long, default_value_t = 40)]
    pub seconds: u64,
    /// Invocations a second, all into the first node
    #[arg(long, default_value_t = 45.0)]
    pub rate: f64,
    /// Time between two decisions of the strategy
    #[arg(long, default_value = "1s")]
    pub period: String,
    /// How nodes share work
    #[arg(long, value_enum, default_value_t = Strategy::Recalc)]
    pub strategy: Strategy,
    /// What happens
    #[arg(long, value_enum, default_value_t = Scenario::Overload)]
    pub scenario: Scenario,
    /// Write all numbers to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Draw invocations a second by node over time to this file [default: target/demo.svg]
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Strategies that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// Nodes find each other and tell each other what they can take
    Recalc,
    /// Nodes find each other and lease each other capacity; bursts overflow
    Lease,
    /// Nodes find each other; each divides its load at random, anew each period
    Random,
    /// Nodes find each other; peers that are near share equally
    LatencyThreshold,
    /// Shares in proportion to the nodes' capacities, from configuration
    Static,
    /// Every node serves its own users alone
    Alllocal,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recalc => "recalc",
            Self::Lease => "lease",
            Self::Random => "random",
            Self::LatencyThreshold => "latency-threshold",
            Self::Static => "static",
            Self::Alllocal => "alllocal",
        })
    }
}

impl Strategy {
    /// Whether nodes find each other; else peers are those of the configuration, if there are any.
    pub fn overlay(self) -> bool {
        matches!(self, Self::Recalc | Self::Lease | Self::Random | Self::LatencyThreshold)
    }
}

/// Stories of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// A steady load, above what the first node can serve
    Overload,
    /// The load changes on the way (not available yet)
    Step,
    /// A node dies on the way (not available yet)
    Kill,
    /// A node leaves in order (not available yet)
    Drain,
    /// A node joins on the way (not available yet)
    Join,
}

impl Options {
    /// Refuses what makes no sense or does not exist yet.
    pub fn check(&self) -> Result<()> {
        if self.scenario != Scenario::Overload {
            let name = format!("{:?}", self.scenario).to_lowercase();
            bail!("scenario {name} is not available yet: only `overload` is");
        }
        ensure!((1..=50).contains(&self.nodes), "--nodes {}: from 1 to 50", self.nodes);
        ensure!(self.seconds >= 1, "--seconds {}: at least 1", self.seconds);
        ensure!(self.rate > 0.0 && self.rate <= 20_000.0, "--rate {}: above 0, at most 20000", self.rate);
        Ok(())
    }
}
