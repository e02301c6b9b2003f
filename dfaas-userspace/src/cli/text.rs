//! The agent's reports for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::table;
use crate::agent::{
    DrainReport, FunctionReport, FunctionsReport, GatewayReport, OverlayReport, StatusReport,
};
use crate::doctor::{Diagnosis, Level};

pub(super) fn status(report: &StatusReport) -> String {
    let listen: Vec<String> = report.listen.iter().map(ToString::to_string).collect();
    let steering = if report.armed { "yes" } else { "no" };
    let mut rows = vec![
        ("node", format!("{} (dfaas {}, process {})", report.node, report.version, report.pid)),
        ("up", format!("{:.0} s", report.uptime_seconds)),
        ("listen", format!("{}; peers at port {}", listen.join(", "), report.data_port)),
        ("strategy", format!("{}, every {} s", report.strategy, report.period_seconds)),
        ("steering", format!("{steering} ({}), {} flows", report.armed_why, report.flows)),
        ("answers", format!("{}; {} sent on after a refusal", answers(&report.answers), report.retries)),
        ("bytes", format!("{} asked, {} answered", bytes(report.bytes.0), bytes(report.bytes.1))),
        (
            "moved",
            format!(
                "{} kept connections to this node, {} to peers; {} can no longer move",
                report.moves.0, report.moves.1, report.pinned
            ),
        ),
        ("ready", if report.ready { "yes" } else { "no" }.to_owned()),
        ("functions", report.functions.to_string()),
        ("peers", report.peers.to_string()),
        ("plan changes", report.plan_changes.to_string()),
        ("health", if report.health.ok { "ok" } else { "FAILING" }.to_owned()),
    ];
    if report.draining {
        let text = "takes nothing from peers until `dfaas resume`; its users are served as before";
        rows.push(("draining", text.to_owned()));
    }
    rows.extend(report.policy_error.iter().map(|error| ("policy", format!("no answer of use: {error}"))));
    let interfaces = report.interfaces.iter();
    rows.extend(interfaces.map(|i| ("interface", format!("{}: {} ({})", i.name, i.mode, i.why))));
    rows.extend(report.gateways.iter().map(|gateway| ("gateway", self::gateway(gateway))));
    if let Some(overlay) = &report.overlay {
        rows.extend(self::overlay(overlay));
    }
    if !report.region.is_empty() {
        rows.insert(1, ("region", report.region.clone()));
    }
    rows.extend(report.problems.iter().map(|problem| ("problem", problem.clone())));
    let mut text = String::new();
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<13} {value}");
    }
    for check in &report.health.checks {
        let _ = writeln!(
            text,
            "  {:<11} {:<4} {}",
            check.name,
            if check.ok { "ok" } else { "FAIL" },
            check.reason
        );
    }
    text
}

pub(super) fn drain(report: &DrainReport) -> String {
    match (report.draining, report.changed) {
        (true, true) => "draining: nothing more is taken from peers; `dfaas resume` ends it\n",
        (true, false) => "draining already\n",
        (false, true) => "work of peers is taken again\n",
        (false, false) => "not draining\n",
    }
    .to_owned()
}

fn gateway(report: &GatewayReport) -> String {
    let state = if report.healthy { "" } else { ", AWAY" };
    let reason = report.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} at {}, {} functions{state}{reason}", report.name, report.address, report.functions)
}

fn overlay(report: &OverlayReport) -> Vec<(&'static str, String)> {
    let beats = format!(
        "{} beats received, {} sent ({} and {} bytes)",
        report.beats.0, report.beats.1, report.bytes.0, report.bytes.1
    );
    let mut rows =
        vec![("overlay", format!("{} links, {} nodes known; {beats}", report.links, report.members))];
    rows.extend(report.listening.iter().map(|address| ("  reached at", address.clone())));
    let refused = report.refused.iter().filter(|(_, count)| **count > 0);
    let refused: Vec<String> = refused.map(|(kind, count)| format!("{count} {kind}")).collect();
    if !refused.is_empty() {
        rows.push(("  refused", refused.join(", ")));
    }
    rows.extend(report.bootstrap_error.iter().map(|error| ("  bootstrap", error.clone())));
    rows
}

pub(super) fn functions(report: &FunctionsReport) -> String {
    if !report.known {
        return "the gateways have not told their functions yet; see `dfaas status`\n".to_owned();
    }
    if report.functions.is_empty() {
        return "the gateways have no functions\n".to_owned();
    }
    let rows: Vec<Vec<String>> = report.functions.iter().map(function).collect();
    table(
        &[
            "FUNCTION",
            "GATEWAY",
            "REPLICAS",
            "MAX RATE",
            "MAX IN FLIGHT",
            "TIMEOUT",
            "HERE",
            "SENT",
            "REJECTED",
            "FOR PEERS",
            "IN FLIGHT",
            "ANSWERS",
            "BYTES",
        ],
        &rows,
    )
}

fn function(function: &FunctionReport) -> Vec<String> {
    let sum = |wanted: &dyn Fn(&str, &str) -> bool| -> String {
        let counts = function.invocations.iter().filter(|line| wanted(&line.origin, &line.backend));
        counts.map(|line| line.count).sum::<u64>().to_string()
    };
    let mut sums = BTreeMap::new();
    let counted = function.invocations.iter().flat_map(|line| &line.answers);
    counted.for_each(|(class, count)| *sums.entry(class.clone()).or_default() += count);
    let asked = function.invocations.iter().map(|line| line.bytes_to_backend).sum();
    let answered = function.invocations.iter().map(|line| line.bytes_to_client).sum();
    let limit = |limit: Option<String>| limit.unwrap_or_else(|| "-".to_owned());
    let name =
        if function.local_only { format!("{} (local only)", function.name) } else { function.name.clone() };
    vec![
        name,
        function.gateway.clone().unwrap_or_else(|| "own".to_owned()),
        function.available_replicas.to_string(),
        limit(function.max_rate.map(|rate| format!("{rate}/s"))),
        limit(function.max_inflight.map(|inflight| inflight.to_string())),
        format!("{} ms", function.timeout_ms),
        sum(&|origin, backend| origin == "user" && backend == "local"),
        sum(&|origin, backend| origin == "user" && !matches!(backend, "local" | "reject")),
        sum(&|_, backend| backend == "reject"),
        sum(&|origin, backend| origin == "peer" && backend == "local"),
        function.inflight.iter().map(|line| line.count).sum::<u64>().to_string(),
        answers(&sums),
        format!("{} / {}", bytes(asked), bytes(answered)),
    ]
}

/// Answers by class, as `12 2xx, 1 5xx`.
fn answers(by_class: &BTreeMap<String, u64>) -> String {
    let classes: Vec<String> = by_class.iter().map(|(class, count)| format!("{count} {class}")).collect();
    if classes.is_empty() { "none".to_owned() } else { classes.join(", ") }
}

/// A number of bytes with three or four digits.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

pub(super) fn diagnosis(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for finding in &diagnosis.findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        let advice = if finding.advice.is_empty() { String::new() } else { format!("; {}", finding.advice) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{level:<4}  {}: {}{advice}", finding.check, finding.found);
    }
    text
}
