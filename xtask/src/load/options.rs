//! What the user can choose.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::{ArgGroup, Args, ValueEnum};
use dfaas_sim::cli::Source;
use dfaas_sim::network::Unit;
use dfaas_tests::replay::{MOST_NODES, STRATEGIES};

/// Options of `load`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["trace", "scenario"]))]
pub struct Options {
    /// Requests by node and function over time: a recording, a k6 trace (.json) or an Azure one, as `dfaas sim trace` reads them
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// A scenario of the simulator instead, which says what is not an option then
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// How to read the trace.
    #[command(flatten)]
    pub source: Source,
    /// Number of nodes: the first of the trace in the order of names [default: all of the trace]
    #[arg(long, conflicts_with = "scenario", value_name = "N")]
    pub nodes: Option<usize>,
    /// Seed of all that is drawn: when users ask, and who has which functions of a trace without nodes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Round-trip times between nodes: a network file (.json), or a square table, separated by tabs (.csv: by commas)
    #[arg(long, value_name = "FILE")]
    pub rtt: Option<PathBuf>,
    /// Unit of the times in that table
    #[arg(long, value_enum, requires = "rtt")]
    pub rtt_unit: Option<RttUnit>,
    /// Processors of the nodes, in turn: a gateway serves each function as often a second as they would
    #[arg(
        long,
        conflicts_with = "scenario",
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "2,4,6"
    )]
    pub cores: Vec<u32>,
    /// Milliseconds of a processor that an invocation takes
    #[arg(long, conflicts_with = "scenario", value_name = "MS", default_value_t = 40.0)]
    pub cpu_ms: f64,
    /// Milliseconds within which an answer is of use
    #[arg(long, conflicts_with = "scenario", value_name = "MS", default_value_t = 1000.0)]
    pub deadline_ms: f64,
    /// Begin the trace so many of its own seconds later
    #[arg(long, conflicts_with = "scenario", value_name = "S", default_value_t = 0.0)]
    pub start: f64,
    /// The trace passes so many times as fast, with the same requests
    #[arg(long, conflicts_with = "scenario", value_name = "FACTOR", default_value_t = 1.0)]
    pub speed: f64,
    /// So many times as many requests
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, conflicts_with_all = ["utilisation", "scenario"])]
    pub rate: f64,
    /// As many requests as ask for this part of all processors in the mean
    #[arg(long, conflicts_with = "scenario", value_name = "PART")]
    pub utilisation: Option<f64>,
    /// How long users ask [default: until the trace ends, or as the scenario says]
    #[arg(long, value_name = "S")]
    pub seconds: Option<u64>,
    /// Seconds before that which do not count, with the first rates
    #[arg(long, conflicts_with = "scenario", value_name = "S", default_value_t = 5)]
    pub warmup: u64,
    /// How nodes share work; several, separated by commas, one after the other
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "lease", value_parser = STRATEGIES)]
    pub strategy: Vec<String>,
    /// Runs of each strategy, with successive seeds
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub repeat: u64,
    /// Run the simulator on the same scenario too, beside it
    #[arg(long)]
    pub simulate: bool,
    /// Tables of the columns that `dfaas sim compare --csv` writes, with each second of each node
    #[arg(long, value_name = "FOLDER")]
    pub csv: Option<PathBuf>,
    /// All figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The scenario as the simulator takes it
    #[arg(long, value_name = "FILE")]
    pub write_scenario: Option<PathBuf>,
}

/// Units of round-trip times in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RttUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
}

impl From<RttUnit> for Unit {
    fn from(unit: RttUnit) -> Self {
        match unit {
            RttUnit::S => Self::Seconds,
            RttUnit::Ms => Self::Milliseconds,
            RttUnit::Us => Self::Microseconds,
        }
    }
}

impl Options {
    /// Refuses what makes no sense before anything is built.
    pub fn check(&self) -> Result<()> {
        if let Some(nodes) = self.nodes {
            ensure!((1..=MOST_NODES).contains(&nodes), "--nodes {nodes}: from 1 to {MOST_NODES}");
        }
        ensure!((1..=1000).contains(&self.repeat), "--repeat {}: from 1 to 1000", self.repeat);
        ensure!(
            self.seed.checked_add(self.repeat).is_some(),
            "--seed {}: too large to count on from",
            self.seed
        );
        ensure!(self.seconds != Some(0), "--seconds 0: at least 1");
        ensure!(!self.strategy.is_empty(), "--strategy: none given");
        for (place, name) in self.strategy.iter().enumerate() {
            ensure!(!self.strategy[..place].contains(name), "--strategy {name}: given twice");
        }
        ensure!(self.start.is_finite() && self.start >= 0.0, "--start {}: 0 or more", self.start);
        let positive = [
            ("--speed", self.speed),
            ("--rate", self.rate),
            ("--cpu-ms", self.cpu_ms),
            ("--deadline-ms", self.deadline_ms),
            ("--utilisation", self.utilisation.unwrap_or(1.0)),
        ];
        for (name, value) in positive {
            ensure!(
                value.is_finite() && value > 0.0 && value <= 1e6,
                "{name} {value}: above 0, at most a million"
            );
        }
        if self.cores.is_empty() || self.cores.contains(&0) {
            bail!("--cores: numbers of processors from 1, separated by commas");
        }
        Ok(())
    }

    /// The seeds of the repeats.
    pub fn seeds(&self) -> Vec<u64> {
        (self.seed..self.seed + self.repeat).collect()
    }

    /// Milliseconds as a duration.
    pub fn duration(ms: f64) -> Duration {
        Duration::from_secs_f64(ms / 1e3)
    }
}
