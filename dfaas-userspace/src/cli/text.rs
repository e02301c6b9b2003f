//! The agent's reports for people.

use std::fmt::Write as _;

use super::table::table;
use crate::agent::{FunctionReport, FunctionsReport, PeersReport, PlanReport, PlansReport, StatusReport};
use crate::doctor::{Diagnosis, Level};

pub(super) fn status(report: &StatusReport) -> String {
    let listen: Vec<String> = report.listen.iter().map(ToString::to_string).collect();
    let steering = if report.armed { "yes" } else { "no" };
    let mut rows = vec![
        ("node", format!("{} (dfaas {}, process {})", report.node, report.version, report.pid)),
        ("up", format!("{:.0} s", report.uptime_seconds)),
        ("listen", format!("{}; peers at port {}", listen.join(", "), report.data_port)),
        ("strategy", format!("{}, every {} s", report.strategy, report.period_seconds)),
        ("steering", format!("{steering}, {} flows", report.flows)),
        ("ready", if report.ready { "yes" } else { "no" }.to_owned()),
        ("functions", report.functions.to_string()),
        ("peers", report.peers.to_string()),
        ("plan changes", report.plan_changes.to_string()),
        ("health", if report.health.ok { "ok" } else { "FAILING" }.to_owned()),
    ];
    if !report.region.is_empty() {
        rows.insert(1, ("region", report.region.clone()));
    }
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

pub(super) fn peers(report: &PeersReport) -> String {
    if report.peers.is_empty() {
        return "no peers\n".to_owned();
    }
    let rows: Vec<Vec<String>> = report
        .peers
        .iter()
        .map(|peer| {
            vec![
                peer.name.clone(),
                std::net::SocketAddr::new(peer.address, peer.data_port).to_string(),
                peer.source.clone(),
                peer.share.to_string(),
                peer.invocations.to_string(),
                peer.inflight.to_string(),
            ]
        })
        .collect();
    table(&["PEER", "ADDRESS", "FROM", "SHARE", "SENT", "IN FLIGHT"], &rows)
}

pub(super) fn functions(report: &FunctionsReport) -> String {
    if !report.known {
        return "the gateway has not told its functions yet; see `dfaas status`\n".to_owned();
    }
    if report.functions.is_empty() {
        return "the gateway has no functions\n".to_owned();
    }
    let rows: Vec<Vec<String>> = report.functions.iter().map(function).collect();
    table(
        &[
            "FUNCTION",
            "REPLICAS",
            "MAX RATE",
            "MAX IN FLIGHT",
            "TIMEOUT",
            "HERE",
            "SENT",
            "REJECTED",
            "FOR PEERS",
            "IN FLIGHT",
        ],
        &rows,
    )
}

fn function(function: &FunctionReport) -> Vec<String> {
    let sum = |wanted: &dyn Fn(&str, &str) -> bool| -> String {
        let counts = function.invocations.iter().filter(|line| wanted(&line.origin, &line.backend));
        counts.map(|line| line.count).sum::<u64>().to_string()
    };
    let limit = |limit: Option<String>| limit.unwrap_or_else(|| "-".to_owned());
    let name =
        if function.local_only { format!("{} (local only)", function.name) } else { function.name.clone() };
    vec![
        name,
        function.available_replicas.to_string(),
        limit(function.max_rate.map(|rate| format!("{rate}/s"))),
        limit(function.max_inflight.map(|inflight| inflight.to_string())),
        format!("{} ms", function.timeout_ms),
        sum(&|origin, backend| origin == "user" && backend == "local"),
        sum(&|origin, backend| origin == "user" && !matches!(backend, "local" | "reject")),
        sum(&|_, backend| backend == "reject"),
        sum(&|origin, backend| origin == "peer" && backend == "local"),
        function.inflight.iter().map(|line| line.count).sum::<u64>().to_string(),
    ]
}

pub(super) fn plans(report: &PlansReport) -> String {
    if report.plans.is_empty() {
        return format!("strategy {}: no plan yet, everything is served here\n", report.strategy);
    }
    let rows: Vec<Vec<String>> = report.plans.iter().map(plan).collect();
    let table = table(&["FUNCTION", "SHARES", "PICK", "LOCAL LIMITS", "AGE"], &rows);
    format!("strategy {}\n{table}", report.strategy)
}

fn plan(plan: &PlanReport) -> Vec<String> {
    let share = |part: u32| format!("{:.1}%", f64::from(part) * 100.0 / 65_536.0);
    let shares: Vec<String> =
        plan.shares.iter().map(|line| format!("{} {}", line.backend, share(line.part))).collect();
    let mut limits = Vec::new();
    if plan.local_rate > 0.0 {
        limits.push(format!("{}/s", plan.local_rate));
    }
    if plan.local_inflight > 0 {
        limits.push(format!("{} at a time", plan.local_inflight));
    }
    let expired = if plan.age_seconds > plan.lifetime_seconds { ", expired: served here" } else { "" };
    vec![
        plan.function.clone(),
        shares.join(", "),
        plan.mode.clone(),
        if limits.is_empty() { "-".to_owned() } else { limits.join(", ") },
        format!("{:.1} s{expired}", plan.age_seconds),
    ]
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
