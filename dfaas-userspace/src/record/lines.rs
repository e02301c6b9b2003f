//! What stands in the files of a recording.

use std::fmt::Write as _;

use dfaas_sim::trace::SeriesKey;

use super::summary::Summary;
use super::tally::{Step, What};
use super::view::View;
use crate::agent::{MeasuredReport, PeerSeen};

/// Columns of the trace beside those of every recording.
pub(super) const TRACE: [&str; 9] =
    ["here", "away", "rejected", "from_peers", "completed", "service_s", "cpu_s", "replicas", "known"];
/// Columns of the node's own table.
pub(super) const NODE: [&str; 7] =
    ["time_s", "interval_s", "node", "cores", "cores_used", "memory_used", "memory_total"];
/// Columns of the peers' table.
pub(super) const PEERS: [&str; 5] = ["time_s", "node", "peer", "usable", "rtt_ms"];

/// A line of the trace.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TraceLine {
    pub key: SeriesKey,
    pub arrivals: f64,
    pub more: Vec<String>,
}

/// What is not known is empty.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The lines of each interval of a step: this node's functions, and peers that are new, so that the trace has every node of
/// the scenario.
pub(super) fn trace(step: &Step, report: &MeasuredReport) -> Vec<TraceLine> {
    let intervals = step.grown.intervals as f64;
    let mut lines: Vec<TraceLine> = report
        .functions
        .iter()
        .map(|function| {
            let name = &function.name;
            let between = step.between.get(name).copied().unwrap_or_default();
            let counts = [What::Here, What::Away, What::Rejected, What::FromPeer];
            let mut more: Vec<String> =
                counts.iter().map(|what| step.count(name, *what).to_string()).collect();
            more.push(text(between.completed.map(|count| count as f64 / intervals)));
            more.push(text(between.service));
            more.push(text(between.cpu.map(|cpu| cpu / intervals)));
            more.push(text(function.replicas));
            more.push(step.grown.known.word().to_owned());
            TraceLine { key: SeriesKey::at(&report.node, name), arrivals: step.arrivals(name), more }
        })
        .collect();
    let Some(function) = report.functions.first() else { return lines };
    // Of their users this node knows nothing: the recordings of the peers say that.
    let joined = step.joined.iter().map(|name| TraceLine {
        key: SeriesKey::at(name, &function.name),
        arrivals: 0.0,
        more: vec![String::new(); TRACE.len()],
    });
    lines.extend(joined);
    lines
}

/// The line of the node for the interval that begins at `time`.
pub(super) fn node(time: f64, interval: f64, step: &Step, report: &MeasuredReport) -> Vec<String> {
    let used = report.memory_total.zip(report.memory_free).map(|(total, free)| total.saturating_sub(free));
    vec![
        time.to_string(),
        interval.to_string(),
        report.node.clone(),
        text(report.cores),
        text(step.cores_used),
        text(used),
        text(report.memory_total),
    ]
}

/// The line of a peer that is new, or other than before.
pub(super) fn peer(time: f64, node: &str, peer: &PeerSeen) -> Vec<String> {
    vec![time.to_string(), node.to_owned(), peer.name.clone(), peer.usable.to_string(), text(peer.rtt_ms)]
}

/// The scenario as a file, with what is to be known of it.
pub(super) fn scenario(view: &View, summary: &Summary) -> String {
    let mut head = format!(
        "# A recording of node {}: {} intervals of {} s from {:.0} s since 1970 on.\n#\n",
        summary.node, summary.intervals, summary.interval_s, summary.start
    );
    head.push_str(
        "# Processor times are taken as log-normal with the usual spread (cv), as only means are counted.\n",
    );
    let gap = |gap: &super::Gap| {
        format!("{:.0} s from {:.0} s on: {}", gap.seconds, gap.start - summary.start, gap.why)
    };
    for note in
        view.notes.iter().cloned().chain(summary.gaps.iter().map(gap)).chain(summary.notes.iter().cloned())
    {
        // Names and errors may have any characters; a comment ends with its line. Writing to a string cannot fail.
        let _ = writeln!(head, "# {}", note.replace(char::is_control, " "));
    }
    format!("{head}\n{}", view.scenario.to_toml())
}
