use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand, ValueEnum};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::CommandError;
use super::files::{Target, usage};
use super::network::{NetworkArguments, network};
use crate::samples::samples;
use crate::shape::published;
use crate::trace::{Assignment, K6_INTERVAL, MAX_CELLS, SeriesKey, Synthetic, Trace, TraceError};

/// Makes inputs of the simulator; the same arguments make the same files.
#[derive(Debug, Clone, Subcommand)]
pub enum Generate {
    /// A network: nodes, neighbours and round-trip times.
    Network(NetworkArguments),
    /// A trace like that of Azure Functions: few popular functions, days, bursts.
    Trace {
        /// The nodes.
        #[command(flatten)]
        places: Places,
        /// What it is like.
        #[command(flatten)]
        synthetic: SyntheticArguments,
        /// Seed of the trace.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
    /// A load of one function with the parameters of the original DFaaS.
    Load {
        /// Its form.
        #[arg(value_enum)]
        kind: Load,
        /// The nodes.
        #[command(flatten)]
        places: Places,
        /// Name of the function.
        #[arg(long, default_value = "function")]
        function: String,
        /// Steps; a day of five minutes each, or seven minutes of a triangle, if absent.
        #[arg(long)]
        steps: Option<usize>,
        /// Requests a second at the top of a triangle.
        #[arg(long, default_value_t = 100.0)]
        peak: f64,
        /// Seed of the load.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
    /// The files of deploy/scenarios/data.
    Samples {
        /// Where to write them.
        #[arg(long)]
        directory: PathBuf,
    },
}

/// Forms of the original's loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Load {
    /// A noisy sinusoid for each node, their peaks apart.
    Sinusoidal,
    /// Each step by itself, normal.
    Gaussian,
    /// One node constant, the others growing.
    Linear,
    /// Rates that change at half time.
    Step,
    /// Up and down in seven minutes.
    Triangular,
}

/// Which nodes there are.
#[derive(Debug, Clone, Args)]
pub struct Places {
    /// How many nodes, called node-01 and so on.
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    pub nodes: usize,
    /// Their names instead, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "nodes")]
    pub names: Vec<String>,
}

impl Places {
    /// The names of the nodes.
    pub(super) fn names(&self) -> Vec<String> {
        if self.names.is_empty() { numbered(self.nodes) } else { self.names.clone() }
    }
}

/// Names in the order of their numbers.
pub(super) fn numbered(nodes: usize) -> Vec<String> {
    let width = nodes.to_string().len().max(2);
    (1..=nodes).map(|node| format!("node-{node:0width$}")).collect()
}

/// What a synthetic trace is like.
#[derive(Debug, Clone, Args)]
pub struct SyntheticArguments {
    /// Functions there are.
    #[arg(long, default_value_t = 40)]
    pub functions: usize,
    /// How they are given to nodes: one, divided, or from fewest to most functions of a node, as 6-15.
    #[arg(long, value_parser = parse_assignment, default_value = "6-15")]
    pub assign: Assignment,
    /// Intervals.
    #[arg(long, default_value_t = 120)]
    pub intervals: usize,
    /// Seconds an interval lasts.
    #[arg(long, default_value_t = 60.0)]
    pub seconds: f64,
    /// Intervals of a day.
    #[arg(long, default_value_t = 1440.0)]
    pub day: f64,
    /// Requests a second of all nodes together.
    #[arg(long, default_value_t = 200.0)]
    pub rate: f64,
    /// Standard deviation of the logarithm of the functions' rates.
    #[arg(long, default_value_t = 2.0)]
    pub sigma: f64,
    /// How much a rate changes in a day at most, as part of its mean.
    #[arg(long, default_value_t = 0.6)]
    pub daily: f64,
    /// Variance of what multiplies a rate from one interval to the next.
    #[arg(long, default_value_t = 0.5)]
    pub burst: f64,
    /// How much of that stays in the next interval.
    #[arg(long, default_value_t = 0.7)]
    pub memory: f64,
}

/// Reads `one`, `divided` or `6-15`.
pub(super) fn parse_assignment(text: &str) -> Result<Assignment, String> {
    let range = || {
        let (least, most) = text.split_once('-')?;
        Some(Assignment::PerNode { least: least.parse().ok()?, most: most.parse().ok()? })
    };
    match text {
        "one" => Ok(Assignment::One),
        "divided" => Ok(Assignment::Divided),
        _ => range()
            .ok_or_else(|| "say one, divided, or fewest and most functions of a node, as 6-15".to_owned()),
    }
}

/// Runs `dfaas sim generate`; what to print.
///
/// # Errors
/// [`CommandError`] says which file or argument is wrong.
pub fn generate(command: &Generate) -> Result<String, CommandError> {
    match command {
        Generate::Network(arguments) => network(arguments),
        Generate::Trace { places, synthetic, seed, target } => {
            let synthetic = Synthetic {
                functions: synthetic.functions,
                nodes: places.names(),
                assignment: synthetic.assign,
                intervals: synthetic.intervals,
                interval: synthetic.seconds,
                day: synthetic.day,
                rate: synthetic.rate,
                sigma: synthetic.sigma,
                daily: synthetic.daily,
                burst: synthetic.burst,
                memory: synthetic.memory,
            };
            target.write(&synthetic.make(&mut ChaCha8Rng::seed_from_u64(*seed)).map_err(usage)?)
        }
        Generate::Load { kind, places, function, steps, peak, seed, target } => {
            let rng = &mut ChaCha8Rng::seed_from_u64(*seed);
            target.write(&load(*kind, &places.names(), function, *steps, *peak, rng).map_err(usage)?)
        }
        Generate::Samples { directory } => {
            let failed = |cause: &dyn std::fmt::Display| CommandError::Failed(cause.to_string());
            let mut text = String::new();
            for (name, content) in samples().map_err(|cause| failed(&cause))? {
                let path = directory.join(name);
                std::fs::write(&path, &content)
                    .map_err(|cause| failed(&format_args!("{}: {cause}", path.display())))?;
                text.push_str(&format!("{}: {} bytes\n", path.display(), content.len()));
            }
            Ok(text)
        }
    }
}

fn load(
    kind: Load,
    nodes: &[String],
    function: &str,
    steps: Option<usize>,
    peak: f64,
    rng: &mut ChaCha8Rng,
) -> Result<Trace, TraceError> {
    let triangle = kind == Load::Triangular;
    let steps = steps.unwrap_or(if triangle { 7 } else { published::STEPS });
    let interval = if triangle { K6_INTERVAL } else { published::STEP_SECONDS };
    let many = nodes.len();
    // Before the rates are made, which would not fit either.
    let mut trace = Trace::new(0.0, interval, steps)?;
    if steps.saturating_mul(many) > MAX_CELLS {
        return Err(TraceError::TooLarge { intervals: steps as f64, series: many });
    }
    let rates = match kind {
        Load::Sinusoidal => published::sinusoidal(many, steps, rng),
        Load::Gaussian => published::gaussian(many, steps, rng),
        Load::Linear => published::linear(many, steps),
        Load::Step => published::step_change(many, steps),
        Load::Triangular => (0..many).map(|_| published::triangular(peak, steps, rng)).collect(),
    };
    for (node, rates) in nodes.iter().zip(rates) {
        let counts: Vec<f64> = rates.iter().map(|rate| rate * interval).collect();
        trace.add(SeriesKey::at(node, function), &counts)?;
    }
    Ok(trace)
}
