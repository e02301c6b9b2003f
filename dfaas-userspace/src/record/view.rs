use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use dfaas_sim::Scenario;
use dfaas_sim::scenario::{Function, Load, Network, Nodes};

use super::summary::median;
use super::tally::Tally;
use super::totals::{Cost, Totals};

/// Time before anything counts, in which strategies get to know the load.
const WARMUP: Duration = Duration::from_secs(20);
/// Stands for what an invocation takes where nothing was measured.
const UNKNOWN: Duration = Duration::from_millis(10);
/// Deadline of functions that no gateway of this node has.
const DEADLINE: Duration = Duration::from_secs(1);

/// A scenario, and what is to be known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// This node and the peers that it could send to, in the order of their names.
    pub scenario: Scenario,
    /// What is assumed and not measured, a sentence each.
    pub notes: Vec<String>,
}

/// The federation as this node saw it, with the users of the trace in the file `trace`; nothing if no interval was over or no
/// function was seen.
pub fn view(tally: &Tally, trace: &Path) -> Option<View> {
    let report = tally.last()?;
    let (_, intervals) = tally.counted().filter(|_| !tally.functions().is_empty())?;
    let mut notes = Vec::new();
    let cores = report.cores.map_or(1, |cores| (cores.round() as u32).clamp(1, 4096));
    match report.cores {
        None => notes.push("processors of this node are not known; one is assumed".to_owned()),
        Some(exact) if (exact - f64::from(cores)).abs() > 1e-9 => {
            notes.push(format!("{exact} processors are taken as {cores}"));
        }
        Some(_) => {}
    }
    let peers = tally.peers().iter().filter(|(_, peer)| peer.usable);
    let names: BTreeSet<&str> = peers.map(|(name, _)| name.as_str()).chain([report.node.as_str()]).collect();
    let names: Vec<&str> = names.into_iter().collect();
    if names.len() > 1 {
        notes.push(format!("peers do not tell how many processors they have; {cores} each are assumed"));
    }
    let functions =
        tally.functions().iter().map(|(name, totals)| function(name, totals, &mut notes)).collect();
    let scenario = Scenario {
        warmup: WARMUP,
        duration: Duration::from_secs_f64(intervals as f64 * tally.interval()),
        period: Duration::try_from_secs_f64(report.period_seconds)
            .unwrap_or(Duration::from_secs(1))
            .clamp(Duration::from_millis(10), Duration::from_secs(60)),
        nodes: Nodes::new(vec![cores; names.len()]),
        network: network(tally, &names, &report.node, &mut notes),
        functions,
        catalogue: None,
        load: Load { trace: Some(trace.to_owned()), ..Load::default() },
        failures: Vec::new(),
    };
    Some(View { scenario, notes })
}

fn function(name: &str, totals: &Totals, notes: &mut Vec<String>) -> Function {
    let (seconds, how) = match totals.cost() {
        Cost::Cgroup(seconds, count) => (seconds, format!("by its cgroup, over {count} invocations")),
        Cost::Gateway(seconds) => (
            seconds,
            "time by the gateway's count (lower quartile of the intervals), as processor time is not measured"
                .to_owned(),
        ),
        Cost::FirstByte(seconds) => (
            seconds,
            "time until the first byte (lower quartile of the intervals), as nothing better is measured"
                .to_owned(),
        ),
        Cost::Unknown => {
            (UNKNOWN.as_secs_f64(), "ASSUMED: nothing of it was answered here; write what you know".to_owned())
        }
    };
    let cpu = micros(seconds.clamp(1e-6, 100.0));
    notes.push(format!("function {name}: cpu {:.3} ms {how}", cpu.as_secs_f64() * 1e3));
    let deadline = totals.last.timeout_ms.map_or(DEADLINE, Duration::from_millis);
    Function {
        deadline: deadline.clamp(Duration::from_millis(1), Duration::from_secs(3600)),
        max_rate: totals.last.max_rate.map(|rate| rate.clamp(1e-3, 1e7)),
        max_inflight: totals.last.max_inflight,
        ..Function::new(name, cpu)
    }
}

/// A time that reads well in a file.
fn micros(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).round() as u64)
}

/// Links of this node to its peers, at the round-trip times that it measured. Between peers it is taken by way of this node,
/// which is seldom too short.
fn network(tally: &Tally, names: &[&str], own: &str, notes: &mut Vec<String>) -> Network {
    let measured = |name: &&str| tally.peers().get(*name).and_then(|peer| median(&peer.rtts));
    let known: Vec<f64> = names.iter().filter(|name| **name != own).filter_map(measured).collect();
    let usual = median(&known).unwrap_or(0.0);
    let unknown: Vec<&str> =
        names.iter().filter(|name| **name != own && measured(name).is_none()).copied().collect();
    if !unknown.is_empty() {
        notes.push(format!("no round-trip time to {}; {usual:.3} ms is assumed", unknown.join(", ")));
    }
    if names.len() > 2 {
        notes.push(
            "round-trip times between peers are taken by way of this node, and peers \
             as not linked to each other"
                .to_owned(),
        );
    }
    let here =
        |name: &&str| if *name == own { 0.0 } else { measured(name).unwrap_or(usual).clamp(0.0, 5_000.0) };
    let between = |a: &&str, b: &&str| if a == b { 0.0 } else { here(a) + here(b) };
    let row = |a: &&str| names.iter().map(|b| between(a, b)).collect();
    let me = names.iter().position(|name| *name == own).unwrap_or(0);
    Network {
        rtts_ms: names.iter().map(row).collect(),
        links: (0..names.len()).filter(|at| *at != me).map(|at| (me, at)).collect(),
        ..Network::default()
    }
}
