//! Runs the rounds, and tells how they go.

use std::io::Write as _;

use anyhow::Result;
use dfaas_tests::bench::{Run, Site, Way, Workload};

use super::report::{WorkloadReport, rate};
use super::table::grouped;

/// Seconds before each run in which nothing is counted: connections open, caches and windows fill.
const WARM_UP: f64 = 0.2;

/// All workloads by all ways, and all of that again in each round, so that whatever disturbs the machine for a while
/// disturbs all ways alike.
pub fn run(
    site: &mut Site,
    ways: &[Way],
    workloads: &[Workload],
    (rounds, seconds): (u32, f64),
) -> Result<Vec<WorkloadReport>> {
    let mut runs = vec![vec![Vec::new(); ways.len()]; workloads.len()];
    for round in 1..=rounds {
        for (&workload, runs) in workloads.iter().zip(&mut runs) {
            show(&format!("round {round} of {rounds}: {:<9}", workload.name()));
            for (&way, runs) in ways.iter().zip(runs) {
                let run = site.run(way, workload, WARM_UP, seconds);
                // What is on the screen stays readable when it ends here.
                let run = run.inspect_err(|_| show("\n"))?;
                show(&progress(way, workload, &run));
                runs.push(run);
            }
            show("\n");
        }
    }
    let reports = workloads
        .iter()
        .zip(runs)
        .map(|(&workload, runs)| WorkloadReport::new(workload, ways.iter().copied().zip(runs).collect()));
    Ok(reports.collect())
}

fn progress(way: Way, workload: Workload, run: &Run) -> String {
    let rate = grouped(rate(workload, run));
    let unit = if workload.is_large() { " MB/s" } else { "/s" };
    let errors = match run.failed() {
        0 => String::new(),
        count => format!(" ({count} ERRORS)"),
    };
    format!(" | {} {rate}{unit}{errors}", way.name())
}

/// If nobody reads it any more the benchmark still ends in order.
fn show(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_seen_while_it_runs() {
        let mut run = Run { requests: 3000, bytes: 1, seconds: 2.0, ..Run::default() };
        assert_eq!(progress(Way::Peer, Workload::Connect, &run), " | peer 1,500/s");
        run.errors.insert("status 503".to_owned(), 7);
        assert_eq!(progress(Way::Peer, Workload::Connect, &run), " | peer 1,500/s (7 ERRORS)");
    }
}
