//! The numbers of a demonstration, as `--json` writes them.

use std::collections::BTreeMap;

use dfaas_tests::load::{Report, Second};
use serde::Serialize;

use super::options::{Options, Strategy};
use super::scenario::{self, Moment};

/// Both phases.
#[derive(Debug, Clone, Serialize)]
pub struct DemoReport {
    /// With the strategy.
    #[serde(flatten)]
    pub strategy: PhaseReport,
    /// The same load with `alllocal`.
    pub baseline: PhaseReport,
}

/// One phase.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseReport {
    /// Name of the strategy.
    pub strategy: String,
    /// Number of nodes.
    pub nodes: u8,
    /// Length of the load.
    pub seconds: u64,
    /// Invocations a second at the beginning.
    pub rate: f64,
    /// Name of the scenario.
    pub scenario: String,
    /// What happened in the middle; nothing if nothing did.
    pub moment: Option<Moment>,
    /// Invocations due.
    pub sent: u64,
    /// Answered well.
    pub ok: u64,
    /// Answered 429 or 503.
    pub rejected: u64,
    /// Everything else.
    pub failed: u64,
    /// Those that were ok, by the node that served them.
    pub by_node: BTreeMap<String, u64>,
    /// Part of the invocations that was answered well, 0 to 1.
    pub ok_share: f64,
    /// The same in the second half of the time.
    pub ok_share_last_half: f64,
    /// Latency of those that were ok.
    pub latency_ms: Latency,
    /// Second by second.
    pub series: Vec<Second>,
    /// Why invocations were rejected or failed; for the summary, not part of the file.
    #[serde(skip)]
    pub reasons: BTreeMap<String, u64>,
    /// Milliseconds by which the load generator itself was late at worst; for the summary.
    #[serde(skip)]
    pub behind_ms: f64,
}

/// Milliseconds from the moment at which an invocation was due; nothing if none was answered well.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

impl PhaseReport {
    /// The numbers of one load.
    pub fn new(options: &Options, strategy: Strategy, report: &Report) -> Self {
        let total = report.total();
        let latency = |percent| report.latency(percent).map(|latency| latency.as_secs_f64() * 1e3);
        Self {
            strategy: strategy.to_string(),
            nodes: options.nodes,
            seconds: options.seconds,
            rate: options.rate(),
            scenario: options.scenario.to_string(),
            moment: scenario::moment(options),
            sent: total.sent,
            ok: total.ok,
            rejected: total.rejected,
            failed: total.failed,
            by_node: total.by_node,
            ok_share: report.ok_share(),
            ok_share_last_half: report.ok_share_last_half(),
            latency_ms: Latency { p50: latency(50.0), p95: latency(95.0), p99: latency(99.0) },
            series: report.seconds().to_vec(),
            reasons: report.reasons().clone(),
            behind_ms: report.behind().as_secs_f64() * 1e3,
        }
    }
}
