//! `demo`: a federation of network namespaces on this machine, with more load on its first node than that can
//! serve; once where every node serves its own users alone, once with the strategy.

mod options;
mod phase;
mod picture;
mod plan;
mod report;
mod scenario;
mod summary;
mod table;

use std::path::Path;

use anyhow::{Context as _, Result};

pub use options::Options;

use crate::{build, setup};
use options::Strategy;
use plan::Plan;
use report::{DemoReport, PhaseReport};

/// Builds, runs both phases, shows the outcome.
pub fn run(options: &Options) -> Result<()> {
    options.check()?;
    setup::check_machine()?;
    setup::run()?;
    let dfaas = build::dfaas()?;
    let plan = Plan::new(options.nodes);
    println!("{}", summary::introduction(options, &plan));
    let baseline = phase::run(options, &plan, Strategy::Alllocal, &dfaas)?;
    let chosen = match options.strategy {
        Strategy::Alllocal => None,
        strategy => Some(phase::run(options, &plan, strategy, &dfaas)?),
    };

    let baseline = PhaseReport::new(options, Strategy::Alllocal, &baseline);
    let strategy = chosen
        .map_or_else(|| baseline.clone(), |outcome| PhaseReport::new(options, options.strategy, &outcome));
    let report = DemoReport { strategy, baseline };
    println!("\n{}", summary::render(&report, &plan));

    let svg = options.svg.clone().unwrap_or_else(|| build::root().join("target/demo.svg"));
    picture::draw(&svg, &report, &plan)?;
    println!("picture: {}", svg.display());
    if let Some(json) = &options.json {
        write_json(json, &report)?;
        println!("numbers: {}", json.display());
    }
    Ok(())
}

fn write_json(path: &Path, report: &DemoReport) -> Result<()> {
    let mut text = serde_json::to_string_pretty(report).context("cannot write the report as JSON")?;
    text.push('\n');
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
