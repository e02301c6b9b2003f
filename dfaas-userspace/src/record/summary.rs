use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::tally::Tally;
use super::totals::Cost;

/// A time that is not as well known as the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// When it began, in seconds since 1970.
    pub start: f64,
    /// How long it was.
    pub seconds: f64,
    /// What its counts are: `divided` or `at_least`.
    pub known: &'static str,
    /// What happened.
    pub why: String,
}

/// A function over the whole recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionSummary {
    /// Invocations that this node's users asked for.
    pub arrivals: f64,
    /// Of these, given to peers.
    pub away: f64,
    /// Of these, answered 429 or 503.
    pub rejected: f64,
    /// Invocations that peers sent.
    pub from_peers: f64,
    /// Seconds that one takes; nothing if nothing of it was answered here.
    pub seconds: Option<f64>,
    /// How that is known: `cgroup`, `gateway`, `first_byte` or `unknown`.
    pub by: &'static str,
}

/// What a recording holds, and what it does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The node.
    pub node: String,
    /// When the first interval began, in seconds since 1970.
    pub start: f64,
    /// Seconds of an interval.
    pub interval_s: f64,
    /// How many intervals there are.
    pub intervals: usize,
    /// The functions by name.
    pub functions: BTreeMap<String, FunctionSummary>,
    /// Peers that invocations could be sent to, with their median round-trip times in milliseconds.
    pub peers: BTreeMap<String, Option<f64>>,
    /// Times that are not as well known as the others.
    pub gaps: Vec<Gap>,
    /// What else is to be said, a sentence each.
    pub notes: Vec<String>,
    /// What was written.
    pub files: Vec<PathBuf>,
}

impl Summary {
    /// Of what was counted; nothing if no interval was over.
    pub(super) fn of(tally: &Tally, files: Vec<PathBuf>, notes: Vec<String>) -> Option<Self> {
        let (start, intervals) = tally.counted()?;
        let functions = tally.functions().iter().map(|(name, totals)| {
            let (seconds, by) = match totals.cost() {
                Cost::Cgroup(seconds, _) => (Some(seconds), "cgroup"),
                Cost::Gateway(seconds) => (Some(seconds), "gateway"),
                Cost::FirstByte(seconds) => (Some(seconds), "first_byte"),
                Cost::Unknown => (None, "unknown"),
            };
            let summary = FunctionSummary {
                arrivals: totals.arrivals(),
                away: totals.away,
                rejected: totals.rejected,
                from_peers: totals.from_peers,
                seconds,
                by,
            };
            (name.clone(), summary)
        });
        let peers = tally.peers().iter().filter(|(_, peer)| peer.usable);
        Some(Self {
            node: tally.last()?.node.clone(),
            start,
            interval_s: tally.interval(),
            intervals,
            functions: functions.collect(),
            peers: peers.map(|(name, peer)| (name.clone(), median(&peer.rtts))).collect(),
            gaps: tally.gaps().to_vec(),
            notes: tally.notes().iter().cloned().chain(notes).collect(),
            files,
        })
    }
}

/// The middle of these; nothing of none.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
