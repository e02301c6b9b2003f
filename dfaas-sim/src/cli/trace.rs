use std::path::PathBuf;

use clap::{Args, Subcommand};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::CommandError;
use super::files::{Source, Target, usage};
use super::generate::{Places, parse_assignment};
use super::text;
use crate::trace::{Assignment, Trace, TraceError};

/// How often each node may look for a better offset; a few rounds are enough in practice.
const STAGGER_ROUNDS: usize = 50;

/// Looks at traces of arrivals and changes them.
#[derive(Debug, Clone, Subcommand)]
pub enum TraceCommand {
    /// Prints totals, peaks, burstiness and the most popular functions of a trace.
    Info {
        /// The trace.
        file: PathBuf,
        /// How to read it.
        #[command(flatten)]
        source: Source,
        /// How many functions to list.
        #[arg(long, default_value_t = 10)]
        top: usize,
        /// Print JSON, with all functions.
        #[arg(long)]
        json: bool,
    },
    /// Changes how long a trace is and how many requests it has.
    Rescale {
        /// The trace.
        file: PathBuf,
        /// How to read it.
        #[command(flatten)]
        source: Source,
        /// By how much.
        #[command(flatten)]
        scale: Scale,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
    /// Moves a trace in time.
    #[command(group = clap::ArgGroup::new("by").required(true))]
    Shift {
        /// The trace.
        file: PathBuf,
        /// How to read it.
        #[command(flatten)]
        source: Source,
        /// Seconds by which it begins later; earlier if negative.
        #[arg(long, group = "by", allow_negative_numbers = true)]
        seconds: Option<f64>,
        /// Intervals by which everything is later, and what leaves at the end comes in at the beginning.
        #[arg(long, group = "by", allow_negative_numbers = true)]
        rotate: Option<i64>,
        /// Rotate each node by an offset of its own, so that nodes do not peak together.
        #[arg(long, group = "by")]
        stagger: bool,
        /// Rotate only what arrives at this node.
        #[arg(long, requires = "rotate")]
        node: Option<String>,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
    /// Puts the requests of several traces together, each when its clock says.
    Merge {
        /// The traces.
        #[arg(required = true, num_args = 2..)]
        files: Vec<PathBuf>,
        /// How to read it.
        #[command(flatten)]
        source: Source,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
    /// Keeps only a part of the time.
    Slice {
        /// The trace.
        file: PathBuf,
        /// How to read it.
        #[command(flatten)]
        source: Source,
        /// Second of the first interval to keep; the beginning if absent.
        #[arg(long, allow_negative_numbers = true)]
        start: Option<f64>,
        /// Second before which the last one begins; the end if absent.
        #[arg(long, allow_negative_numbers = true)]
        end: Option<f64>,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
    /// Writes a trace in another format, in other intervals, at other nodes.
    Convert {
        /// The trace.
        file: PathBuf,
        /// How to read it.
        #[command(flatten)]
        source: Source,
        /// Seconds of the new intervals.
        #[arg(long)]
        resample: Option<f64>,
        /// Give functions to nodes: one, divided, or from fewest to most functions of a node, as 6-15.
        #[arg(long, value_parser = parse_assignment)]
        assign: Option<Assignment>,
        /// The nodes.
        #[command(flatten)]
        places: Places,
        /// Seed of the assignment.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where it goes.
        #[command(flatten)]
        target: Target,
    },
}

/// How to rescale; in this order if several are given.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct Scale {
    /// Times as long, with the same requests.
    #[arg(long)]
    pub time: Option<f64>,
    /// Times as many requests.
    #[arg(long, group = "rates")]
    pub rate: Option<f64>,
    /// Mean rate of the whole trace, in requests a second.
    #[arg(long, group = "rates")]
    pub mean: Option<f64>,
    /// Rate of the whole trace in its busiest interval, in requests a second.
    #[arg(long, group = "rates")]
    pub peak: Option<f64>,
    /// Lowest and highest rate of any node and function, in requests a second.
    #[arg(long, group = "rates", num_args = 2, value_names = ["LOW", "HIGH"])]
    pub range: Option<Vec<f64>>,
    /// With --range: above 1 only peaks stay high, below 1 the rest is raised.
    #[arg(long, requires = "range")]
    pub power: Option<f64>,
    /// Round to whole requests at random, from this seed.
    #[arg(long, value_name = "SEED")]
    pub whole: Option<u64>,
}

impl Scale {
    fn apply(&self, trace: Trace) -> Result<Trace, TraceError> {
        let mut trace = trace;
        if let Some(factor) = self.time {
            trace = trace.rescale_time(factor)?;
        }
        if let Some(factor) = self.rate {
            trace = trace.rescale_rate(factor)?;
        }
        if let Some(rate) = self.mean {
            trace = trace.rescale_to_mean(rate)?;
        }
        if let Some(rate) = self.peak {
            trace = trace.rescale_to_peak(rate)?;
        }
        if let Some([low, high]) = self.range.as_deref() {
            trace = trace.rescale_to_range(*low, *high, self.power.unwrap_or(1.0))?;
        }
        if let Some(seed) = self.whole {
            trace = trace.rounded(&mut ChaCha8Rng::seed_from_u64(seed))?;
        }
        Ok(trace)
    }
}

/// Runs `dfaas sim trace`; what to print.
///
/// # Errors
/// [`CommandError`] says which file, place or argument is wrong.
pub fn trace(command: &TraceCommand) -> Result<String, CommandError> {
    match command {
        TraceCommand::Info { file, source, top, json } => text::trace(&source.read(file)?, *top, *json),
        TraceCommand::Rescale { file, source, scale, target } => {
            target.write(&scale.apply(source.read(file)?).map_err(usage)?)
        }
        TraceCommand::Shift { file, source, seconds, rotate, stagger, node, target } => {
            let mut trace = source.read(file)?;
            if let Some(node) = node.as_deref().filter(|node| !trace.nodes().contains(node)) {
                return Err(usage(format_args!("--node {node}: no such node in {}", file.display())));
            }
            if let Some(seconds) = seconds {
                trace = trace.shift(*seconds).map_err(usage)?;
            }
            if let Some(intervals) = rotate {
                trace = trace.rotate(*intervals, node.as_deref()).map_err(usage)?;
            }
            if *stagger {
                (trace, _) = trace.stagger(STAGGER_ROUNDS).map_err(usage)?;
            }
            target.write(&trace)
        }
        TraceCommand::Merge { files, source, target } => {
            let mut merged: Option<Trace> = None;
            for file in files {
                let next = source.read(file)?;
                merged = Some(match merged {
                    None => next,
                    Some(trace) => trace
                        .merge(&next)
                        .map_err(|cause| usage(format_args!("{}: {cause}", file.display())))?,
                });
            }
            target.write(&merged.ok_or_else(|| usage("no trace to merge"))?)
        }
        TraceCommand::Slice { file, source, start, end, target } => {
            let (start, end) = (start.unwrap_or(f64::NEG_INFINITY), end.unwrap_or(f64::INFINITY));
            target.write(&source.read(file)?.slice(start, end).map_err(usage)?)
        }
        TraceCommand::Convert { file, source, resample, assign, places, seed, target } => {
            let mut trace = source.read(file)?;
            if let Some(interval) = resample {
                trace = trace.resample(*interval).map_err(usage)?;
            }
            if let Some(assignment) = assign {
                let rng = &mut ChaCha8Rng::seed_from_u64(*seed);
                trace = trace.assign(&places.names(), *assignment, rng).map_err(usage)?;
            }
            target.write(&trace)
        }
    }
}
