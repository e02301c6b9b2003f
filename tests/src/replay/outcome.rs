//! What came out of live nodes, in the simulator's terms. No clock and no I/O.

use std::time::Duration;

use dfaas_sim::outcome::{Ends, Latencies, Outcome, Second, ServedBy};
use dfaas_sim::{Federation, Scenario};

use crate::load::{Ended, Verdict};
use crate::statistics::nearest_rank;

/// A request of a user, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The user's node, counted from 0.
    pub node: usize,
    /// Place of the function in the federation.
    pub function: usize,
    /// When it was due, from the start of the warm-up.
    pub at: Duration,
    /// From then to the end of the answer.
    pub took: Duration,
    /// How it ended.
    pub fate: Fate,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// This node's gateway answered it.
    Answered(usize),
    /// This node's gateway answered 429.
    Full(usize),
    /// A data plane answered 429.
    Limited,
    /// 503.
    Unavailable,
    /// Anything else: no answer, or a wrong one.
    Lost,
}

impl Asked {
    /// What a user of this node met.
    pub fn of(node: usize, ended: &Ended) -> Self {
        let fate = match &ended.verdict {
            Verdict::Ok { node: by } => Fate::Answered(place(by).unwrap_or(node)),
            Verdict::Rejected { reason, .. } if reason.ends_with("503") => Fate::Unavailable,
            Verdict::Rejected { node: by, .. } => place(by).map_or(Fate::Limited, Fate::Full),
            Verdict::Failed { .. } => Fate::Lost,
        };
        Self { node, function: ended.call.load, at: ended.call.at, took: ended.took, fate }
    }

    /// Whether another node was given it, as far as answers tell.
    pub fn is_forwarded(&self) -> bool {
        matches!(self.fate, Fate::Answered(by) | Fate::Full(by) if by != self.node)
    }

    /// Whether it was answered 429 or 503.
    pub fn is_refused(&self) -> bool {
        matches!(self.fate, Fate::Full(_) | Fate::Limited | Fate::Unavailable)
    }
}

/// The place of a node, counted from 0, by the name that its gateway tells.
fn place(name: &str) -> Option<usize> {
    name.strip_prefix("node-")?.parse::<usize>().ok()?.checked_sub(1)
}

/// What the simulator would tell of these requests: those after the warm-up count. `sent_bytes` is what each node told
/// others a second.
///
/// What live nodes do not tell is 0: processors at work, requests that a node was relieved of by waits, and the moment at
/// which plans are still. `local` of a second is the part of the answers that the own node gave.
pub fn outcome(scenario: &Scenario, federation: &Federation, all: &[Asked], sent_bytes: f64) -> Outcome {
    let seconds = scenario.duration.as_nanos().div_ceil(1_000_000_000) as usize;
    let mut series = vec![vec![Second::default(); seconds]; federation.nodes()];
    let mut at_home = vec![vec![(0_u32, 0_u32); seconds]; federation.nodes()];
    let (mut ends, mut served) = (Ends::default(), ServedBy::new(federation.nodes()));
    let (mut requests, mut forwarded, mut work, mut work_in_time) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut times = Vec::new();
    for asked in all {
        let Some(at) = asked.at.checked_sub(scenario.warmup) else { continue };
        let service = &federation.functions[asked.function];
        let place = (at.as_secs() as usize).min(seconds - 1);
        let in_time = asked.took <= Duration::from_nanos(service.deadline);
        requests += 1;
        work += service.cpu;
        forwarded += u64::from(asked.is_forwarded());
        let second = &mut series[asked.node][place];
        second.asked += 1;
        second.forwarded += u32::from(asked.is_forwarded());
        second.rejected += u32::from(asked.is_refused());
        *match asked.fate {
            Fate::Answered(_) if in_time => &mut ends.in_time,
            Fate::Answered(_) => &mut ends.late,
            Fate::Full(_) => &mut ends.full,
            Fate::Limited => &mut ends.limited,
            Fate::Unavailable => &mut ends.unavailable,
            Fate::Lost => &mut ends.lost,
        } += 1;
        let Fate::Answered(by) = asked.fate else { continue };
        times.push(u64::try_from(asked.took.as_micros()).unwrap_or(u64::MAX).max(1));
        let (home, answered) = &mut at_home[asked.node][place];
        (*home, *answered) = (*home + u32::from(by == asked.node), *answered + 1);
        if in_time {
            second.in_time += 1;
            work_in_time += service.cpu;
            served.add(asked.node as u32, by as u32);
        }
    }
    for (second, (home, answered)) in series.iter_mut().flatten().zip(at_home.iter().flatten()) {
        second.local = if *answered > 0 { f64::from(*home) / f64::from(*answered) } else { 1.0 };
    }
    times.sort_unstable();
    let quantile = |percent: f64| nearest_rank(&times, percent).unwrap_or(0) as f64 / 1e3;
    let part = |some: u64, all: u64| if all > 0 { some as f64 / all as f64 } else { 1.0 };
    Outcome {
        requests,
        goodput: part(ends.in_time, requests),
        work: part(work_in_time, work),
        mean: times.iter().sum::<u64>() as f64 / 1e3 / times.len().max(1) as f64,
        p50: quantile(50.0),
        p95: quantile(95.0),
        p99: quantile(99.0),
        forwarded: if requests > 0 { forwarded as f64 / requests as f64 } else { 0.0 },
        overflowed: 0.0,
        ends,
        control_bytes_per_node_s: sent_bytes,
        settle_s: None,
        digest: 0,
        series,
        latencies: Latencies::of_micros(times),
        served: served.into_rows(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Call;

    const MS: Duration = Duration::from_millis(1);

    fn scenario() -> Scenario {
        let text = "warmup = \"2s\"\nduration = \"3s\"\nnodes = { count = 2, cores = [2] }\nload = { utilisation = 0.5 }\n\
            functions = [{ name = \"a\", cpu = \"5ms\", deadline = \"100ms\" }]";
        Scenario::parse(text).expect("a scenario")
    }

    fn ended(at: u64, took: u64, verdict: Verdict) -> Ended {
        let call = Call { at: at as u32 * MS, load: 0 };
        Ended { call, took: took as u32 * MS, behind: Duration::ZERO, verdict }
    }

    fn ok(node: &str) -> Verdict {
        Verdict::Ok { node: node.to_owned() }
    }

    fn rejected(status: u16, node: &str) -> Verdict {
        Verdict::Rejected { reason: format!("status {status}"), node: node.to_owned() }
    }

    #[test]
    fn every_request_after_the_warm_up_counts_once_in_its_second() {
        let scenario = scenario();
        let all: Vec<Asked> = [
            ended(1_999, 1, ok("node-1")),
            ended(2_000, 10, ok("node-1")),
            ended(2_500, 20, ok("node-2")),
            ended(3_100, 300, ok("node-2")),
            ended(3_200, 1, rejected(429, "node-2")),
            ended(3_300, 1, rejected(429, "")),
            ended(4_900, 1, rejected(503, "")),
            ended(4_999, 9_000, Verdict::Failed { reason: "silence".to_owned() }),
        ]
        .iter()
        .map(|ended| Asked::of(0, ended))
        .collect();
        let outcome = outcome(&scenario, &Federation::new(&scenario, 1), &all, 70.0);
        let ends =
            Ends { in_time: 2, late: 1, limited: 1, unavailable: 1, peer_limited: 0, full: 1, lost: 1 };
        assert_eq!((outcome.requests, outcome.ends), (7, ends));
        assert_eq!(outcome.ends.sum(), outcome.requests);
        let of = |second: &Second| (second.asked, second.in_time, second.forwarded, second.rejected);
        assert_eq!(
            outcome.series[0].iter().map(of).collect::<Vec<_>>(),
            [(2, 2, 1, 0), (3, 0, 2, 2), (2, 0, 0, 1)]
        );
        assert_eq!(outcome.series[0][0].local, 0.5);
        assert_eq!(outcome.series[1].iter().map(|second| second.asked).sum::<u32>(), 0);
        let served: Vec<_> = outcome.served.iter().map(|row| (row.from, row.by, row.requests)).collect();
        assert_eq!(served, [(0, 0, 1), (0, 1, 1)]);
        assert_eq!((outcome.p50, outcome.p99), (20.0, 300.0));
        assert_eq!((outcome.goodput, outcome.forwarded), (2.0 / 7.0, 3.0 / 7.0));
    }

    #[test]
    fn a_load_of_nothing_has_an_outcome_too() {
        let scenario = scenario();
        let outcome = outcome(&scenario, &Federation::new(&scenario, 1), &[], 0.0);
        assert_eq!((outcome.requests, outcome.goodput, outcome.p99), (0, 1.0, 0.0));
    }
}
