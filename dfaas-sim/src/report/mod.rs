//! What a study shows: a table, JSON, CSV files, pictures, and a report that is one file by itself.

mod csv;
mod html;
mod json;
mod pictures;
mod table;

use crate::scenario::Scenario;
use crate::study::{BoundSummary, Runs, Study, Summary};

pub use csv::files;
pub use html::html;
pub use json::json;
pub use pictures::{Picture, PictureError, pictures};
pub use table::{indexes, table};

/// A study with all that is told of it.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Name of the scenario, as the file is called.
    pub name: &'a str,
    /// The scenario's text.
    pub text: &'a str,
    /// The command that makes this report again.
    pub command: &'a str,
    /// What came out.
    pub study: &'a Study,
    /// By technique, in the order of the study.
    pub summaries: Vec<Summary>,
    /// The best possible, if it was looked for.
    pub bound: Option<BoundSummary>,
}

impl<'a> Report<'a> {
    /// Of this study of this scenario.
    pub fn new(
        name: &'a str,
        text: &'a str,
        command: &'a str,
        scenario: &Scenario,
        study: &'a Study,
    ) -> Self {
        let summary = |runs: &Runs| Summary::of(scenario, runs);
        let summaries = study.techniques.iter().map(summary).collect();
        Self { name, text, command, study, summaries, bound: BoundSummary::of(&study.bounds) }
    }

    /// What technique loses of the bound, by requests and by processor time: the price of decentralisation. Nothing
    /// without a bound.
    fn price(&self, summary: &Summary) -> Option<(f64, f64)> {
        let price = |served: f64, bound: f64| if bound > 0.0 { 1.0 - served / bound } else { 0.0 };
        let of = |bound: BoundSummary| {
            (price(summary.goodput.mean, bound.goodput), price(summary.work.mean, bound.work))
        };
        self.bound.map(of)
    }
}

/// Seeds as they are typed: `1-3,7`.
pub fn seeds(seeds: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*seed) => *last = *seed,
            _ => ranges.push((*seed, *seed)),
        }
    }
    let range = |(first, last): &(u64, u64)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

/// This version of the simulator.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A part with four digits after the point.
fn part(value: f64) -> String {
    // A negative nothing is nothing.
    let text = format!("{value:.4}");
    if text == "-0.0000" { "0.0000".to_owned() } else { text }
}
