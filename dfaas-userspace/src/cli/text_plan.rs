//! `dfaas plan` for people.

use super::table::table;
use crate::agent::{PlanReport, PlansReport, ShareReport};

pub(super) fn plans(report: &PlansReport) -> String {
    if report.plans.is_empty() {
        return format!("strategy {}: no plan yet, everything is served here\n", report.strategy);
    }
    let rows: Vec<Vec<String>> = report.plans.iter().map(row).collect();
    let header = [
        "FUNCTION",
        "USERS ASK",
        "PEERS ASK",
        "REJECTED",
        "HERE AT MOST",
        "FIRST",
        "DIVIDED",
        "OVERFLOW",
        "AGE",
    ];
    let mut text = format!("strategy {}\n{}", report.strategy, table(&header, &rows));
    if report.plans.iter().any(|plan| plan.local_first) {
        text.push_str(
            "FIRST here: only what exceeds \"here at most\" is divided; nobody left to take it: 429.\n",
        );
    }
    text
}

fn row(plan: &PlanReport) -> Vec<String> {
    let rate = |rate: f64| format!("{rate:.1}/s");
    let mut limits = Vec::new();
    if plan.local_rate > 0.0 {
        limits.push(format!("{}/s", plan.local_rate));
    }
    if plan.local_inflight > 0 {
        limits.push(format!("{} at a time", plan.local_inflight));
    }
    if let Some(seconds) = plan.local_wait_seconds {
        limits.push(format!("{:.0} ms of wait", seconds * 1e3));
    }
    if let Some(rate) = plan.peers_rate {
        limits.push(format!("{rate:.1}/s of peers"));
    }
    let shares: Vec<String> = plan.shares.iter().map(share).collect();
    let expired = if plan.age_seconds > plan.lifetime_seconds { ", expired: served here" } else { "" };
    vec![
        plan.function.clone(),
        rate(plan.user_rate),
        rate(plan.peer_rate),
        rate(plan.reject_rate),
        if limits.is_empty() { "-".to_owned() } else { limits.join(", ") },
        if plan.local_first { "here" } else { "-" }.to_owned(),
        shares.join(", "),
        overflow(plan),
        format!("{:.1} s{expired}", plan.age_seconds),
    ]
}

/// Who takes what is too much here, and from when on.
fn overflow(plan: &PlanReport) -> String {
    if plan.overflow.is_empty() {
        return "-".to_owned();
    }
    let from = match plan.overflow_above_seconds {
        Some(seconds) => format!("above {:.0} ms", seconds * 1e3),
        None => "at a limit".to_owned(),
    };
    format!("{} ({from})", plan.overflow.join(", "))
}

fn share(share: &ShareReport) -> String {
    let part = f64::from(share.part) * 100.0 / 65_536.0;
    let limit = share.max_rate.map(|rate| format!(" (at most {rate:.1}/s)")).unwrap_or_default();
    format!("{} {part:.1}%{limit}", share.backend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_tells_who_is_first_how_the_rest_is_divided_and_the_limits() {
        let share =
            |backend: &str, part, max_rate| ShareReport { backend: backend.to_owned(), part, max_rate };
        let plan = PlanReport {
            function: "figlet".to_owned(),
            user_rate: 45.02,
            peer_rate: 0.0,
            reject_rate: 0.0,
            local_first: true,
            mode: "smooth".to_owned(),
            shares: vec![share("node-2", 26_214, Some(16.0)), share("node-3", 39_322, Some(24.0))],
            local_rate: 10.0,
            local_inflight: 0,
            local_wait_seconds: Some(0.45),
            overflow: vec!["node-2".to_owned()],
            overflow_above_seconds: Some(0.02),
            peers_rate: Some(8.0),
            age_seconds: 0.3,
            lifetime_seconds: 3.5,
        };
        let text = plans(&PlansReport { strategy: "recalc".to_owned(), plans: vec![plan] });
        let line = text.lines().nth(2).unwrap();
        assert!(line.starts_with("figlet    45.0/s     0.0/s"), "{text}");
        assert!(
            line.contains(
                "10/s, 450 ms of wait, 8.0/s of peers  here   node-2 40.0% (at most 16.0/s), node-3 60.0% (at most 24.0/s)  node-2 (above 20 ms)  0.3 s"
            ),
            "{text}"
        );
        assert!(text.lines().last().unwrap().starts_with("FIRST here"), "{text}");
    }
}
