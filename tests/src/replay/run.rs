//! One run on live nodes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use dfaas_sim::{Federation, Outcome, Scenario, arrivals};

use super::fits::fits;
use super::outcome::{Asked, outcome};
use super::site::{Site, name};
use crate::invocation::body;
use crate::load::{Call, Counts, Ended, Load, Verdict, run_listed};
use crate::node::Node;
use crate::relay::Carried;

/// How often the run looks whether all is well.
const LOOK: Duration = Duration::from_millis(100);

/// Time for the load generators to be ready before the first request is due.
const READY: Duration = Duration::from_millis(300);

/// Longest wait for an answer beyond the function's deadline.
const BEYOND: Duration = Duration::from_secs(10);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Replay<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The strategy of every node.
    pub strategy: &'a str,
    /// Seed of the federation and of its users: what they ask for is what they ask for in the simulator.
    pub seed: u64,
    /// The program of the nodes.
    pub dfaas: &'a Path,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Since the start of the warm-up.
    pub elapsed: Duration,
    /// Requests due so far.
    pub sent: u64,
    /// Answered well.
    pub answered: u64,
    /// Answered 429 or 503.
    pub refused: u64,
    /// Everything else that has ended.
    pub failed: u64,
}

/// What came out of a run.
#[derive(Debug, Clone)]
pub struct Lived {
    /// In the simulator's terms.
    pub outcome: Outcome,
    /// Each request after the warm-up.
    pub asked: Vec<Asked>,
    /// What lies between the nodes has carried this; nothing if they are not apart.
    pub carried: Option<Carried>,
    /// The most by which a load generator was late.
    pub behind: Duration,
    /// Why requests were refused or failed, in the warm-up too.
    pub reasons: BTreeMap<String, u64>,
}

/// Starts the nodes, lets the users ask, waits for every answer, and removes everything. `tell` is called once a second,
/// and at the end.
///
/// # Errors
/// If live nodes cannot have the scenario, or something did not start or has ended by itself.
pub fn run(replay: Replay<'_>, tell: &mut dyn FnMut(Seen)) -> Result<Lived> {
    let Replay { scenario, strategy, seed, dfaas } = replay;
    let federation = Federation::new(scenario, seed);
    fits(scenario, &federation, strategy)?;
    let mut site = Site::start(scenario, &federation, strategy, dfaas)?;
    let counts = Arc::new(Counts::default());
    let start = Instant::now() + READY;
    let mut users = Vec::new();
    for (place, node) in site.nodes.iter().enumerate() {
        let loads = loads(&federation, node);
        let calls = arrivals(scenario, &federation, place, seed);
        let calls = calls.iter().map(|arrival| Call { at: arrival.at, load: arrival.function }).collect();
        let counts = Arc::clone(&counts);
        let index = u8::try_from(place + 1).context("too many nodes")?;
        users.push(site.lab.users(index).spawn_async(move || run_listed(loads, calls, start, counts))?);
    }
    let mut before = None;
    let mut told = 0;
    while users.iter().any(|thread| !thread.is_finished()) {
        std::thread::sleep(LOOK);
        site.check()?;
        let elapsed = Instant::now().saturating_duration_since(start);
        if before.is_none() && elapsed >= scenario.warmup {
            before = Some((elapsed, sent_bytes(&site.nodes)?));
        }
        if elapsed.as_secs() > told && elapsed < scenario.warmup + scenario.duration {
            told = elapsed.as_secs();
            tell(seen(&counts, elapsed));
        }
    }
    let after = (Instant::now().saturating_duration_since(start), sent_bytes(&site.nodes)?);
    let mut ended: Vec<(usize, Ended)> = Vec::new();
    for (place, thread) in users.into_iter().enumerate() {
        let of_node = thread.join().map_err(|_| anyhow!("the load generator of node {place} panicked"))??;
        ended.extend(of_node.into_iter().map(|ended| (place, ended)));
    }
    tell(seen(&counts, after.0));
    let carried = site.relay.take().map(crate::relay::Relay::finish).transpose()?;
    let all: Vec<Asked> = ended.iter().map(|(place, ended)| Asked::of(*place, ended)).collect();
    let bytes = per_node_second(before.unwrap_or(after), after, site.nodes.len());
    Ok(Lived {
        outcome: outcome(scenario, &federation, &all, bytes),
        asked: all.into_iter().filter(|asked| asked.at >= scenario.warmup).collect(),
        carried,
        behind: ended.iter().map(|(_, ended)| ended.behind).max().unwrap_or_default(),
        reasons: reasons(&ended),
    })
}

/// What users of a node send for each function.
fn loads(federation: &Federation, node: &Node) -> Vec<Load> {
    let load = |place: usize| {
        let service = &federation.functions[place];
        let load = Load::new(node.address(), &name(federation, place), 0.0, Duration::ZERO);
        let payload = usize::try_from(service.payload).unwrap_or(usize::MAX);
        let body = if payload == 0 { load.body.clone() } else { body(payload) };
        Load { body, timeout: Duration::from_nanos(service.deadline) + BEYOND, ..load }
    };
    (0..federation.functions.len()).map(load).collect()
}

/// Bytes that the nodes have told each other so far.
fn sent_bytes(nodes: &[Node]) -> Result<f64> {
    nodes.iter().map(|node| node.metric("dfaas_control_bytes_total", &["direction=\"sent\""])).sum()
}

fn per_node_second(before: (Duration, f64), after: (Duration, f64), nodes: usize) -> f64 {
    let seconds = after.0.saturating_sub(before.0).as_secs_f64();
    if seconds > 0.0 { (after.1 - before.1) / seconds / nodes as f64 } else { 0.0 }
}

fn seen(counts: &Counts, elapsed: Duration) -> Seen {
    let [sent, answered, refused, failed] = [&counts.sent, &counts.ok, &counts.rejected, &counts.failed]
        .map(|count| count.load(Ordering::Relaxed));
    Seen { elapsed, sent, answered, refused, failed }
}

fn reasons(ended: &[(usize, Ended)]) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for (_, ended) in ended {
        match &ended.verdict {
            Verdict::Ok { .. } => {}
            Verdict::Rejected { reason, node } if node.is_empty() => {
                *reasons.entry(format!("{reason} by the data plane")).or_default() += 1;
            }
            Verdict::Rejected { reason, .. } => {
                *reasons.entry(format!("{reason} by a gateway")).or_default() += 1;
            }
            Verdict::Failed { reason } => *reasons.entry(reason.clone()).or_default() += 1,
        }
    }
    reasons
}
