//! What is said before and after. No I/O.

use std::fmt::Write as _;

use super::options::Options;
use super::plan::{FUNCTION, Plan};
use super::report::{DemoReport, PhaseReport};
use super::scenario;

/// Above this the numbers say more about the load generator than about the federation.
const LATE_MS: f64 = 100.0;

/// What is going to happen.
pub fn introduction(options: &Options, plan: &Plan) -> String {
    let nodes: Vec<_> = plan.nodes().map(|(_, name, capacity)| format!("{name} {capacity}/s")).collect();
    format!(
        "{} nodes serve the function {FUNCTION}: {} ({} in all).\n\
         Users of node-1 call it {} times a second, each time on a new connection, for {} s.{}",
        options.nodes,
        nodes.join(", "),
        plan.total(),
        options.rate(),
        options.seconds,
        scenario::moment(options)
            .map(|moment| format!("\nAt second {}: {}.", moment.second, moment.what))
            .unwrap_or_default()
    )
}

/// Both phases side by side.
pub fn render(report: &DemoReport, plan: &Plan) -> String {
    let mut phases = vec![&report.baseline];
    if report.strategy.strategy != report.baseline.strategy {
        phases.push(&report.strategy);
    }
    let mut text = String::new();
    let mut row = |name: &str, value: &dyn Fn(&PhaseReport) -> String| {
        let width = |phase: &PhaseReport| phase.strategy.len().max(10);
        let values: String =
            phases.iter().map(|phase| format!(" {:>1$}", value(phase), width(phase))).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<22}{values}");
    };
    row("", &|phase| phase.strategy.clone());
    row("invocations", &|phase| phase.sent.to_string());
    row("answered", &|phase| percent(phase.ok_share));
    row("  in the second half", &|phase| percent(phase.ok_share_last_half));
    for (_, name, _) in plan.nodes() {
        row(&format!("  by {name}"), &|phase| phase.by_node.get(&name).unwrap_or(&0).to_string());
    }
    row("rejected (429, 503)", &|phase| phase.rejected.to_string());
    row("failed", &|phase| phase.failed.to_string());
    row("latency p50", &|phase| milliseconds(phase.latency_ms.p50));
    row("latency p95", &|phase| milliseconds(phase.latency_ms.p95));
    row("latency p99", &|phase| milliseconds(phase.latency_ms.p99));

    for phase in phases {
        for (reason, count) in &phase.reasons {
            let _ = writeln!(text, "  {}: {count} x {reason}", phase.strategy);
        }
        if let Some(moment) = &phase.moment {
            let _ = writeln!(text, "  {}: {}", phase.strategy, scenario::told(phase, moment));
        }
        if phase.behind_ms > LATE_MS {
            let _ = writeln!(
                text,
                "  {}: the load generator was late by up to {:.0} ms: this machine is too busy for exact numbers",
                phase.strategy, phase.behind_ms
            );
        }
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1} ms"))
}
