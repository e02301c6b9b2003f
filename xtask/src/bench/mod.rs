//! `bench`: what steering costs, beside no steering and beside a proxy in user space, in network namespaces of this
//! machine.

mod figure;
mod machine;
mod options;
mod report;
mod rounds;
mod table;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use dfaas_tests::Topology;
use dfaas_tests::bench::{Programs, Site, Way};

pub use options::Options;

use crate::{build, setup};
use machine::Machine;
use report::Report;

/// Builds, measures, shows. An error if a single request went wrong.
pub fn run(options: &Options) -> Result<()> {
    options.check()?;
    setup::check_machine()?;
    setup::run()?;
    let haproxy = Some(setup::haproxy()?);
    let programs = Programs { dfaas: build::dfaas()?, traffic: build::traffic()?, haproxy };
    let machine = Machine::look(&programs, Topology::default().offloads)?;

    let ((rounds, seconds), workloads) = (options.amount(), options.workloads());
    let names = Way::ALL.map(Way::name).join(", ");
    println!("bench: starting the nodes of {names}, over {}", options.family.name());
    let mut site = Site::new(options.family, &Way::ALL, &programs)?;
    println!("bench: {seconds} s for each workload and way in each round; rounds: {rounds}");
    let workloads = rounds::run(&mut site, &Way::ALL, &workloads, (rounds, seconds))?;
    drop(site);

    let report = Report { machine, family: options.family.name(), rounds, seconds, workloads };
    println!("\n{}", table::render(&report));
    table::notes(&report).iter().for_each(|note| println!("* {note}"));
    if let Some(json) = &options.json {
        write_json(json, &report)?;
        println!("numbers: {}", json.display());
    }
    match report.failed() {
        0 => Ok(()),
        count => {
            // The first line gets its `error: ` where it is printed.
            let reasons = table::errors(&report).join("\nerror: ");
            bail!("{count} ERRORS: the figures of these ways are worth nothing\nerror: {reasons}")
        }
    }
}

fn write_json(path: &Path, report: &Report) -> Result<()> {
    let mut text = serde_json::to_string_pretty(report).context("cannot write the report as JSON")?;
    text.push('\n');
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
