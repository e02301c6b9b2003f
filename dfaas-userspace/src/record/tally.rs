use std::collections::BTreeMap;

use dfaas_sim::trace::{Counters, Grown, Known, TraceError};

use super::summary::Gap;
use super::totals::{Between, Totals};
use crate::agent::{MeasuredReport, PeerSeen};

/// What became of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A user's, served here.
    Here,
    /// A user's, given to a peer.
    Away,
    /// A user's, answered 429 or 503.
    Rejected,
    /// A peer's.
    FromPeer,
}

/// A counter: of which function, and what.
pub type Key = (String, What);

/// What is known of a peer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Peer {
    /// The last reading.
    pub last: Option<PeerSeen>,
    /// Whether it was ever one that invocations may be sent to.
    pub usable: bool,
    /// Measured round-trip times, in milliseconds.
    pub rtts: Vec<f64>,
}

/// What one reading adds: the same for each of some intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Counts of invocations.
    pub grown: Grown<Key>,
    /// By function: what grew over all of the intervals together.
    pub between: BTreeMap<String, Between>,
    /// Processors in use, in the mean.
    pub cores_used: Option<f64>,
    /// Peers that are new, or other than before.
    pub news: Vec<PeerSeen>,
    /// Names of peers that invocations can be sent to for the first time.
    pub joined: Vec<String>,
}

impl Step {
    /// How many invocations of a function came to this in each of the intervals.
    pub fn count(&self, function: &str, what: What) -> f64 {
        self.grown.counts.get(&(function.to_owned(), what)).copied().unwrap_or(0.0)
    }

    /// How many of them this node's users asked for, whatever became of them.
    pub fn arrivals(&self, function: &str) -> f64 {
        [What::Here, What::Away, What::Rejected].map(|what| self.count(function, what)).iter().sum()
    }
}

/// Counts of intervals, and sums, from readings of a running agent.
#[derive(Debug, Clone)]
pub struct Tally {
    interval: f64,
    counters: Counters<Key>,
    last: Option<MeasuredReport>,
    functions: BTreeMap<String, Totals>,
    peers: BTreeMap<String, Peer>,
    /// See [`Step::news`] and [`Step::joined`]; not told yet.
    news: Vec<PeerSeen>,
    joined: Vec<String>,
    /// When the first interval began, and how many there were.
    counted: Option<(f64, usize)>,
    gaps: Vec<Gap>,
    notes: Vec<String>,
}

impl Tally {
    /// Intervals of `interval` seconds from `start` seconds on.
    ///
    /// # Errors
    /// If the interval has no meaning.
    pub fn new(start: f64, interval: f64) -> Result<Self, TraceError> {
        Ok(Self {
            interval,
            counters: Counters::new(start, interval)?,
            last: None,
            functions: BTreeMap::new(),
            peers: BTreeMap::new(),
            news: Vec::new(),
            joined: Vec::new(),
            counted: None,
            gaps: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Takes a reading at `time` seconds; what it adds, nothing for the first and for one that comes too soon. `trouble` is
    /// why there was none for a while, if somebody knows.
    pub fn take(&mut self, time: f64, report: MeasuredReport, trouble: Option<&str>) -> Option<Step> {
        let grown = self.counters.take(time, &counters(&report));
        let Some(grown) = grown else {
            // The first is the one to compare with; one that comes too soon is in the next.
            if self.last.is_none() {
                report.functions.iter().for_each(|function| {
                    self.functions.insert(function.name.clone(), Totals::since(function));
                });
                self.hear(&report);
                self.last = Some(report);
            }
            return None;
        };
        let (start, intervals) = self.counted.unwrap_or((grown.start, 0));
        self.counted = Some((start, intervals + grown.intervals));
        self.explain(&grown, &report, trouble);
        let mut between = BTreeMap::new();
        for function in &report.functions {
            let totals = self.functions.entry(function.name.clone()).or_default();
            between.insert(function.name.clone(), totals.take(function));
        }
        for ((function, what), count) in &grown.counts {
            let Some(totals) = self.functions.get_mut(function) else { continue };
            let sum = match what {
                What::Here => &mut totals.here,
                What::Away => &mut totals.away,
                What::Rejected => &mut totals.rejected,
                What::FromPeer => &mut totals.from_peers,
            };
            *sum += count * grown.intervals as f64;
        }
        let seconds = grown.intervals as f64 * self.interval;
        let busy = |report: &MeasuredReport| report.busy_seconds;
        let used =
            self.last.as_ref().and_then(busy).zip(busy(&report)).map(|(old, new)| (new - old) / seconds);
        self.hear(&report);
        let news = std::mem::take(&mut self.news);
        // A line of the trace is about a function.
        let joined = if report.functions.is_empty() { Vec::new() } else { std::mem::take(&mut self.joined) };
        self.last = Some(report);
        Some(Step { grown, between, cores_used: used.filter(|used| *used >= 0.0), news, joined })
    }

    /// Notes the peers that are new, or other than before.
    fn hear(&mut self, report: &MeasuredReport) {
        for seen in report.peers.iter().filter(|seen| seen.name != report.node) {
            let peer = self.peers.entry(seen.name.clone()).or_default();
            if seen.usable && !peer.usable {
                peer.usable = true;
                self.joined.push(seen.name.clone());
            }
            if peer.last.as_ref() != Some(seen) {
                peer.rtts.extend(seen.rtt_ms);
                peer.last = Some(seen.clone());
                self.news.retain(|earlier| earlier.name != seen.name);
                self.news.push(seen.clone());
            }
        }
    }

    /// Notes what is not as it should be.
    fn explain(&mut self, grown: &Grown<Key>, report: &MeasuredReport, trouble: Option<&str>) {
        let restarted = self.last.as_ref().map(|last| last.pid).filter(|pid| *pid != report.pid);
        let mut why: Vec<String> = trouble.map(str::to_owned).into_iter().collect();
        why.extend(restarted.map(|_| "the agent was started again".to_owned()));
        match grown.known {
            Known::AtLeast => {
                why.push("counters began anew: what came before that in this time is lost".to_owned());
            }
            Known::Divided => why.push("what was counted is divided evenly over it".to_owned()),
            Known::Counted => {
                let at = grown.start - self.counted.map_or(0.0, |(start, _)| start);
                self.notes.extend(restarted.map(|_| {
                    format!("the agent was started again {at:.0} s after the beginning; its counters went on")
                }));
                return;
            }
        }
        let seconds = grown.intervals as f64 * self.interval;
        self.gaps.push(Gap { start: grown.start, seconds, known: grown.known.word(), why: why.join("; ") });
    }

    /// Notes something else of the recording.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// The last reading.
    pub fn last(&self) -> Option<&MeasuredReport> {
        self.last.as_ref()
    }

    /// The functions by name.
    pub fn functions(&self) -> &BTreeMap<String, Totals> {
        &self.functions
    }

    /// The peers by name.
    pub fn peers(&self) -> &BTreeMap<String, Peer> {
        &self.peers
    }

    /// When the first interval began, and how many there were; nothing before one was over.
    pub fn counted(&self) -> Option<(f64, usize)> {
        self.counted
    }

    /// Seconds of an interval.
    pub fn interval(&self) -> f64 {
        self.interval
    }

    /// Times that are not as well known as the others.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What else is to be said of the recording.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

fn counters(report: &MeasuredReport) -> BTreeMap<Key, u64> {
    let all = report.functions.iter().flat_map(|function| {
        [
            (What::Here, function.users_here),
            (What::Away, function.users_away),
            (What::Rejected, function.users_rejected),
            (What::FromPeer, function.from_peers),
        ]
        .map(|(what, count)| ((function.name.clone(), what), count))
    });
    all.collect()
}
