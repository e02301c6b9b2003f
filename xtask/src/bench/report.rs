//! The numbers of a benchmark, as `--json` writes them. No I/O.

use std::collections::BTreeMap;

use dfaas_tests::bench::{Run, Way, Workload};
use serde::Serialize;

use super::figure::Figure;
use super::machine::Machine;

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What it was measured on.
    pub machine: Machine,
    /// Over which family users called and nodes reached each other.
    pub family: &'static str,
    /// Rounds.
    pub rounds: u32,
    /// Seconds of each run in which requests were counted.
    pub seconds: f64,
    /// What was measured.
    pub workloads: Vec<WorkloadReport>,
}

/// One workload by all ways.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadReport {
    /// Which.
    pub workload: Workload,
    /// What it does, for people.
    pub description: String,
    /// Of [`WayReport::rate`].
    pub unit: &'static str,
    /// The ways, the one that others are compared with first.
    pub ways: Vec<WayReport>,
}

/// One workload by one way.
#[derive(Debug, Clone, Serialize)]
pub struct WayReport {
    /// Which.
    pub way: Way,
    /// Requests a second, or millions of bytes a second.
    pub rate: Figure,
    /// The rate over that of the first way in the same round.
    pub of_direct: Figure,
    /// Microseconds of a request, median.
    pub p50_us: Figure,
    /// Microseconds of a request, 99th percentile.
    pub p99_us: Figure,
    /// Microseconds that all processors of the machine spent for each request, without what other programs took.
    pub cpu_us_per_request: Figure,
    /// What went wrong in all rounds, with how often.
    pub errors: BTreeMap<String, u64>,
    /// The rounds.
    pub runs: Vec<Run>,
}

impl WorkloadReport {
    /// Of all rounds by each way, the one that others are compared with first.
    pub fn new(workload: Workload, runs: Vec<(Way, Vec<Run>)>) -> Self {
        let base = runs.first().map(|(_, runs)| rates(workload, runs)).unwrap_or_default();
        Self {
            workload,
            description: workload.describe(),
            unit: if workload.is_large() { "MB/s" } else { "requests/s" },
            ways: runs.into_iter().map(|(way, runs)| WayReport::new(workload, way, runs, &base)).collect(),
        }
    }
}

impl WayReport {
    fn new(workload: Workload, way: Way, runs: Vec<Run>, base: &[f64]) -> Self {
        let rates = rates(workload, &runs);
        let figure = |of: &dyn Fn(&Run) -> f64| Figure::of(runs.iter().map(of));
        let mut errors = BTreeMap::new();
        for (reason, count) in runs.iter().flat_map(|run| &run.errors) {
            *errors.entry(reason.clone()).or_default() += count;
        }
        Self {
            way,
            rate: Figure::of(rates.iter().copied()),
            of_direct: Figure::ratio(&rates, base),
            p50_us: figure(&|run| run.p50_us as f64),
            p99_us: figure(&|run| run.p99_us as f64),
            cpu_us_per_request: figure(&|run| run.cpu_us_per_request),
            errors,
            runs,
        }
    }

    /// How many things went wrong.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

impl Report {
    /// Each workload by each way.
    pub fn lines(&self) -> impl Iterator<Item = (&WorkloadReport, &WayReport)> {
        self.workloads.iter().flat_map(|workload| workload.ways.iter().map(move |way| (workload, way)))
    }

    /// How many things went wrong in all.
    pub fn failed(&self) -> u64 {
        self.lines().map(|(_, way)| way.failed()).sum()
    }
}

/// Of a run, in the workload's unit.
pub fn rate(workload: Workload, run: &Run) -> f64 {
    if workload.is_large() { run.megabytes_per_second() } else { run.requests_per_second() }
}

fn rates(workload: Workload, runs: &[Run]) -> Vec<f64> {
    runs.iter().map(|run| rate(workload, run)).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A report of two workloads by two ways in three rounds; the last run of the second way met errors.
    pub fn example() -> Report {
        let run = |requests: u64, errors: &[(&str, u64)]| Run {
            requests,
            bytes: requests * 5_000_000,
            seconds: 2.0,
            p50_us: 1500,
            p99_us: 20_000,
            max_us: 30_000,
            cpu_us_per_request: 125.4,
            busy_share: 0.99,
            stolen_share: 0.02,
            others_share: 0.3,
            errors: errors.iter().map(|&(reason, count)| (reason.to_owned(), count)).collect(),
        };
        let ways = |factor: u64| {
            let direct = [400, 500, 200].map(|requests| run(requests * factor, &[]));
            let bad = run(100 * factor, &[("connect: timed out", 3)]);
            vec![
                (Way::Direct, direct.to_vec()),
                (Way::Peer, vec![run(320 * factor, &[]), run(400 * factor, &[]), bad]),
            ]
        };
        Report {
            machine: Machine {
                kernel: "6.18.44".to_owned(),
                system: "Debian GNU/Linux 12 (bookworm)".to_owned(),
                processor: "One".to_owned(),
                cores: 2,
                offloads: "veth; no offloads",
                dfaas: "dfaas 0.1.0".to_owned(),
                commit: "a11d158".to_owned(),
                haproxy: "HAProxy version 2.6.12".to_owned(),
            },
            family: "ipv6",
            rounds: 3,
            seconds: 2.0,
            workloads: vec![
                WorkloadReport::new(Workload::Connect, ways(100)),
                WorkloadReport::new(Workload::Download, ways(1)),
            ],
        }
    }

    #[test]
    fn rates_are_medians_and_ratios_are_taken_round_by_round() {
        let report = example();
        let peer = &report.workloads[0].ways[1];
        assert_eq!(peer.rate, Figure { median: 16_000.0, min: 5_000.0, max: 20_000.0 });
        assert_eq!(peer.of_direct, Figure { median: 0.8, min: 0.5, max: 0.8 });
        assert_eq!(report.workloads[0].ways[0].of_direct, Figure { median: 1.0, min: 1.0, max: 1.0 });
    }

    #[test]
    fn large_workloads_are_told_in_bytes() {
        let download = &example().workloads[1];
        assert_eq!((download.unit, download.ways[0].rate.median), ("MB/s", 1000.0));
    }

    #[test]
    fn errors_of_all_rounds_add_up() {
        assert_eq!(example().failed(), 6);
        let text = serde_json::to_value(example()).unwrap();
        assert_eq!(text["workloads"][0]["ways"][1]["errors"]["connect: timed out"], 3);
        assert_eq!(text["workloads"][0]["workload"], "connect");
        assert_eq!(text["workloads"][1]["ways"][1]["way"], "peer");
    }
}
