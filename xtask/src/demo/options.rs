//! What the user can choose.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, ensure};
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
    /// Invocations a second, all into the first node [default: 45; with `step` 22.5 before the step]
    #[arg(long)]
    pub rate: Option<f64>,
    /// Time between two decisions of the strategy
    #[arg(long, default_value = "1s")]
    pub period: String,
    /// How nodes share work
    #[arg(long, value_enum, default_value_t = Strategy::Lease)]
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
    /// Nodes find each other, learn what functions cost them and tell each other what more they can take
    Nodemargin,
    /// Nodes find each other and ask some of them how long one waits; what would wait goes to the better of two
    P2c,
    /// Nodes find each other and ask a model server what to do; here a small one that divides by capacity
    External,
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
            Self::Nodemargin => "nodemargin",
            Self::P2c => "p2c",
            Self::External => "external",
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
        !matches!(self, Self::Static | Self::Alllocal)
    }
}

/// Stories of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// A steady load, above what the first node can serve
    Overload,
    /// In the middle the load doubles
    Step,
    /// In the middle the second node's agent and gateway are killed
    Kill,
    /// In the middle the second node is told to take nothing from others any more
    Drain,
    /// In the middle the last node starts
    Join,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overload => "overload",
            Self::Step => "step",
            Self::Kill => "kill",
            Self::Drain => "drain",
            Self::Join => "join",
        })
    }
}

impl Options {
    /// Invocations a second at the beginning.
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(if self.scenario == Scenario::Step { 22.5 } else { 45.0 })
    }

    /// Refuses what makes no sense.
    pub fn check(&self) -> Result<()> {
        if self.scenario != Scenario::Overload {
            ensure!(
                self.seconds >= 8,
                "--seconds {}: at least 8, so that there is a before and an after",
                self.seconds
            );
        }
        if matches!(self.scenario, Scenario::Kill | Scenario::Drain | Scenario::Join) {
            ensure!(
                self.nodes >= 2,
                "--nodes {}: at least 2, as something happens to one that helps",
                self.nodes
            );
        }
        let rate = self.rate();
        ensure!((1..=50).contains(&self.nodes), "--nodes {}: from 1 to 50", self.nodes);
        ensure!(self.seconds >= 1, "--seconds {}: at least 1", self.seconds);
        ensure!(rate > 0.0 && rate <= 20_000.0, "--rate {rate}: above 0, at most 20000");
        Ok(())
    }
}
