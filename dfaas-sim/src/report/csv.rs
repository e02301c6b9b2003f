use ::csv::Writer;

use super::{Report, table};
use crate::study::{Run, Runs};

/// Name and content of each CSV file: `summary.csv` (a technique a line), `indexes.csv` (those of the original's
/// simulator), `runs.csv` (a technique and seed), `seconds.csv` (a second of a node), `served.csv` (who served whom),
/// `latency.csv` (distribution of the times to the answer), and with a bound `bound.csv` (a window).
///
/// # Errors
/// None that are known: they are written to memory.
pub fn files(report: &Report<'_>) -> Result<Vec<(&'static str, Vec<u8>)>, ::csv::Error> {
    let mut files = vec![
        ("summary.csv", summary(report)?),
        ("indexes.csv", cells(&indexes_head(), &table::index_rows(report))?),
        ("runs.csv", each_run(report, RUNS, |_, run, row| row(run_cells(run)))?),
        ("seconds.csv", each_run(report, SECONDS, |_, run, row| seconds(run, row))?),
        ("served.csv", each_run(report, SERVED, |_, run, row| served(run, row))?),
        ("latency.csv", each_run(report, LATENCY, |_, run, row| latency(run, row))?),
    ];
    if !report.study.bounds.is_empty() {
        files.push(("bound.csv", bound(report)?));
    }
    Ok(files)
}

const RUNS: &[&str] = &[
    "requests",
    "goodput",
    "work",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "forwarded",
    "overflowed",
    "harm",
    "in_time",
    "late",
    "limited",
    "unavailable",
    "peer_limited",
    "full",
    "lost",
    "control_bytes_per_node_s",
    "settle_s",
];
const SECONDS: &[&str] = &["node", "second", "asked", "in_time", "forwarded", "rejected", "busy", "local"];
const SERVED: &[&str] = &["from", "by", "requests"];
const LATENCY: &[&str] = &["upto_ms", "part"];

type Row<'a> = dyn FnMut(Vec<String>) -> Result<(), ::csv::Error> + 'a;

/// A table whose lines begin with technique and seed.
fn each_run(
    report: &Report<'_>,
    head: &[&str],
    mut rows: impl FnMut(&Runs, &Run, &mut Row<'_>) -> Result<(), ::csv::Error>,
) -> Result<Vec<u8>, ::csv::Error> {
    let mut out = Writer::from_writer(Vec::new());
    out.write_record(["technique", "seed"].iter().chain(head))?;
    for runs in &report.study.techniques {
        for run in &runs.runs {
            let start = [runs.technique.clone(), run.seed.to_string()];
            rows(runs, run, &mut |cells| out.write_record(start.iter().chain(&cells)))?;
        }
    }
    finish(out)
}

fn run_cells(run: &Run) -> Vec<String> {
    let (of, ends) = (&run.outcome, &run.outcome.ends);
    let parts = [of.goodput, of.work, of.p50, of.p95, of.p99, of.forwarded, of.overflowed, run.harm];
    let counts =
        [ends.in_time, ends.late, ends.limited, ends.unavailable, ends.peer_limited, ends.full, ends.lost];
    let mut cells = vec![of.requests.to_string()];
    cells.extend(parts.map(|part| part.to_string()));
    cells.extend(counts.map(|count| count.to_string()));
    cells.push(of.control_bytes_per_node_s.to_string());
    cells.push(of.settle_s.map_or(String::new(), |seconds| seconds.to_string()));
    cells
}

fn seconds(run: &Run, row: &mut Row<'_>) -> Result<(), ::csv::Error> {
    for (node, seconds) in run.outcome.series.iter().enumerate() {
        for (second, of) in seconds.iter().enumerate() {
            let counts = [of.asked, of.in_time, of.forwarded, of.rejected, of.busy];
            let mut cells = vec![node.to_string(), second.to_string()];
            cells.extend(counts.map(|count| count.to_string()));
            cells.push(of.local.to_string());
            row(cells)?;
        }
    }
    Ok(())
}

fn served(run: &Run, row: &mut Row<'_>) -> Result<(), ::csv::Error> {
    let rows = &run.outcome.served;
    rows.iter().try_for_each(|of| row(vec![of.from.to_string(), of.by.to_string(), of.requests.to_string()]))
}

fn latency(run: &Run, row: &mut Row<'_>) -> Result<(), ::csv::Error> {
    let points = run.outcome.latencies.cumulative();
    points.iter().try_for_each(|(ms, part)| row(vec![ms.to_string(), part.to_string()]))
}

fn summary(report: &Report<'_>) -> Result<Vec<u8>, ::csv::Error> {
    let head = [
        "technique",
        "goodput",
        "goodput_error",
        "work",
        "work_error",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "rejected",
        "forwarded",
        "harm",
        "fairness",
        "control_bytes_per_node_s",
        "settle_s",
        "oscillation",
    ];
    let row = |of: &crate::study::Summary| {
        let before = [
            of.goodput.mean,
            of.goodput.error,
            of.work.mean,
            of.work.error,
            of.p50_ms,
            of.p95_ms,
            of.p99_ms,
            of.rejected,
            of.forwarded,
            of.harm,
            of.fairness,
            of.control_bytes_per_node_s,
        ];
        let mut cells = vec![of.technique.clone()];
        cells.extend(before.map(|value| value.to_string()));
        cells.push(of.settle_s.map_or(String::new(), |seconds| seconds.to_string()));
        cells.push(of.oscillation.to_string());
        cells
    };
    cells(&head.map(str::to_owned), &report.summaries.iter().map(row).collect::<Vec<_>>())
}

fn indexes_head() -> Vec<String> {
    let names = ["mean", "variance", "median", "p90"];
    let of = |what: &'static str| names.iter().map(move |name| format!("{what}_{name}"));
    std::iter::once("technique".to_owned())
        .chain(of("success"))
        .chain(of("stress_success"))
        .chain(["rejects".to_owned()])
        .collect()
}

fn bound(report: &Report<'_>) -> Result<Vec<u8>, ::csv::Error> {
    let head = ["seed", "start_s", "length_s", "asked", "goodput", "work"].map(str::to_owned);
    let mut rows = Vec::new();
    for (seed, bound) in report.study.seeds.iter().zip(&report.study.bounds) {
        for window in &bound.windows {
            let numbers = [window.start_s, window.length_s, window.asked, window.goodput, window.work];
            let row = std::iter::once(seed.to_string()).chain(numbers.map(|number| number.to_string()));
            rows.push(row.collect());
        }
    }
    cells(&head, &rows)
}

fn cells(head: &[String], rows: &[Vec<String>]) -> Result<Vec<u8>, ::csv::Error> {
    let mut out = Writer::from_writer(Vec::new());
    out.write_record(head)?;
    rows.iter().try_for_each(|row| out.write_record(row))?;
    finish(out)
}

fn finish(out: Writer<Vec<u8>>) -> Result<Vec<u8>, ::csv::Error> {
    out.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))
}
