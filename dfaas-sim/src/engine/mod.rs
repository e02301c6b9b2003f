//! A federation in virtual time, request by request.
//!
//! Each node has a kernel, which chooses by [`dfaas_common::choice`], an agent with a strategy of [`dfaas_control`], and a
//! gateway that serves first come, first served, with all processors busy while anything waits. A request that leaves its
//! node opens a connection to the peer, which may refuse it before any payload has left, and reaches the peer's gateway
//! one and a half round-trip times after the choice, and the time that its payload takes.
//!
//! Loss meets messages of agents alone: TCP repeats what it loses.

mod arrivals;
mod compile;
mod control;
mod counters;
mod failing;
mod gateway;
mod grants;
mod instances;
mod kernel;
mod lies;
mod life;
mod node;
mod probing;
mod queue;
mod request;
mod said;
mod serving;
mod sharing;
mod users;
mod words;

use std::time::Duration;

use dfaas_control::Options;
use rand_chacha::ChaCha8Rng;

use crate::federation::{Federation, Nanos, nanos};
use crate::outcome::{Outcome, Record};
use crate::random::{Stream, stream};
use crate::scenario::Scenario;
use crate::techniques::{UnknownTechnique, drains, technique as technique_of};
pub use arrivals::{Arrival, arrivals};
use node::Node;
use probing::Probes;
use queue::{Queue, What};
pub(crate) use request::Request as Passed;
use request::Requests;
use users::Work;
use words::Letters;

/// Why there is no outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// There is no such technique.
    #[error(transparent)]
    Technique(#[from] UnknownTechnique),
    /// Something that must never happen has happened.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// What must never happen has happened. The same seed shows it again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{technique}, seed {seed}, after {at:?} of virtual time: {what}")]
pub struct Violation {
    /// The strategy.
    pub technique: String,
    /// The seed.
    pub seed: u64,
    /// Virtual time from the start of the warm-up.
    pub at: Duration,
    /// What happened.
    pub what: String,
}

/// Runs a scenario with this strategy at every node.
///
/// # Errors
/// If there is no such strategy, or an invariant was violated.
pub fn run(scenario: &Scenario, technique: &str, seed: u64) -> Result<Outcome, RunError> {
    run_in(scenario, &Federation::new(scenario, seed), technique, seed)
}

/// Runs a scenario whose federation is already drawn, with the same seed.
///
/// # Errors
/// As [`run`].
pub fn run_in(
    scenario: &Scenario,
    federation: &Federation,
    technique: &str,
    seed: u64,
) -> Result<Outcome, RunError> {
    let mut simulation = Simulation::new(scenario, federation, technique, seed)?;
    simulation.plan();
    while let Some((now, what)) = simulation.queue.pop() {
        simulation.happen(now, what)?;
    }
    simulation.close()
}

struct Simulation<'a> {
    scenario: &'a Scenario,
    federation: &'a Federation,
    technique: &'a str,
    seed: u64,
    options: Options,
    works: Vec<Work>,
    nodes: Vec<Node>,
    /// Nodes reach each other if these are equal.
    sides: Vec<u64>,
    requests: Requests,
    letters: Letters,
    probes: Probes,
    probes_per_request: bool,
    /// Words that were said.
    said: u64,
    queue: Queue,
    loss: ChaCha8Rng,
    record: Record,
    /// The end of the warm-up, and of what users ask for.
    begin: Nanos,
    end: Nanos,
    piece: usize,
    /// Time within which a drained node takes nothing any more; without end where the technique promises nothing.
    leaving: Nanos,
}

impl<'a> Simulation<'a> {
    fn new(
        scenario: &'a Scenario,
        federation: &'a Federation,
        technique: &'a str,
        seed: u64,
    ) -> Result<Self, UnknownTechnique> {
        let options = Options { period: scenario.period, ..Options::default() };
        let nodes = (0..federation.nodes())
            .map(|node| Node::new(federation, node, technique, &options, &scenario.nodes, seed));
        let (begin, end) = (nanos(scenario.warmup), nanos(scenario.warmup + scenario.duration));
        Ok(Self {
            scenario,
            federation,
            technique,
            seed,
            options,
            works: federation.functions.iter().map(Work::of).collect(),
            nodes: nodes.collect::<Result<_, _>>()?,
            sides: vec![0; federation.nodes()],
            requests: Requests::default(),
            letters: Letters::default(),
            probes: Probes::default(),
            probes_per_request: technique_of(technique, &options)?.probes_per_request(),
            said: 0,
            queue: Queue::default(),
            loss: stream(seed, Stream::Loss),
            record: Record::new(federation.nodes(), begin, end),
            begin,
            end,
            piece: 0,
            leaving: leaving(technique, scenario.period),
        })
    }

    /// What is known to happen from the start on.
    fn plan(&mut self) {
        self.plan_failures();
        for piece in 0..self.federation.rates.pieces() {
            self.queue.push(self.federation.rates.begins(piece), What::Rates(piece as u32));
        }
        for node in 0..self.nodes.len() {
            if self.nodes[node].up {
                self.plan_tick(0, node as u32, true);
            }
        }
        self.queue.push(self.begin, What::Second);
    }

    fn happen(&mut self, now: Nanos, what: What) -> Result<(), Violation> {
        match what {
            What::Arrival(node, epoch) => self.arrival(now, node, epoch),
            What::Served(request) => self.served(now, request),
            What::Shared(node, epoch) => self.shared(now, node, epoch),
            What::Started(node, start) => self.started(now, node, start),
            What::Question(probe, which) => {
                self.question(now, probe, which);
                Ok(())
            }
            What::Answers(probe) => self.answers(now, probe),
            What::Connect(request) => self.connect(now, request),
            What::Head(request) => self.head(now, request),
            What::Refused(request) => self.refused(now, request),
            What::Silent(request) => self.refused(now, request),
            What::GivenUp(request) => self.given_up(now, request),
            What::Tick(node) => self.tick(now, node),
            What::Word(word) => self.hear(now, word),
            What::Due(node) => self.due(now, node),
            What::Rates(piece) => {
                self.ask_by(now, piece as usize);
                Ok(())
            }
            What::Fails(failure) => self.fails(now, failure),
            What::Heals(failure) => self.heals(now, failure),
            What::Second => {
                self.note_second(now);
                Ok(())
            }
        }
    }

    /// Users ask by another piece of the rates.
    fn ask_by(&mut self, now: Nanos, piece: usize) {
        self.piece = piece;
        for node in 0..self.nodes.len() {
            let users = &mut self.nodes[node].users;
            users.set_rates(self.federation.rates.of(piece, node));
            self.next_arrival(now, node as u32);
        }
    }

    fn next_arrival(&mut self, now: Nanos, node: u32) {
        let users = &mut self.nodes[node as usize].users;
        let Some(pause) = users.pause() else { return };
        let at = now.saturating_add(pause);
        if at < self.end {
            self.queue.push(at, What::Arrival(node, users.epoch));
        }
    }

    /// Whether two nodes can reach each other.
    fn reach(&self, a: usize, b: usize) -> bool {
        self.sides[a] == self.sides[b]
    }

    /// Notes what the plans say once a second.
    fn note_second(&mut self, now: Nanos) {
        let rates = |node| self.federation.rates.of(self.piece, node);
        for (index, node) in self.nodes.iter().enumerate() {
            let (mut kept, mut asked) = (0.0, 0.0);
            for (rate, plan) in rates(index).iter().zip(&node.plans) {
                asked += rate;
                kept += rate * local_part(plan, now);
            }
            let part = if asked > 0.0 { kept / asked } else { 1.0 };
            self.record.plan(now, index, part, node.gateway.busy());
        }
        if now + 1_000_000_000 < self.end {
            self.queue.push(now + 1_000_000_000, What::Second);
        }
    }

    /// All has happened.
    fn close(self) -> Result<Outcome, RunError> {
        let under_way = self.requests.len();
        if under_way > 0 || !self.record.is_balanced() {
            let what =
                format!("{under_way} requests have not ended, or some twice: {:?}", self.record.ends());
            return Err(self.violation(self.end, what).into());
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(what) = node.kernel.left_over() {
                let what = format!("all requests have ended, and node {index} still counts {what}");
                return Err(self.violation(self.end, what).into());
            }
        }
        let overflowed = self.nodes.iter().map(|node| node.kernel.overflowed).sum();
        Ok(self.record.outcome(self.scenario, self.federation, overflowed))
    }

    fn violation(&self, now: Nanos, what: String) -> Violation {
        let at = Duration::from_nanos(now);
        Violation { technique: self.technique.to_owned(), seed: self.seed, at, what }
    }
}

/// A drained node hears of it at its next tick, which comes after a period and a tenth.
fn leaving(technique: &str, period: Duration) -> Nanos {
    if drains(technique) { nanos(period * 6 / 5) } else { Nanos::MAX }
}

/// The part of a function's requests that its plan keeps at home.
fn local_part(plan: &dfaas_common::plan::Plan, now: Nanos) -> f64 {
    use dfaas_common::plan::{WHOLE, flag};
    let Some(plan) = kernel::in_force(plan, now).filter(|plan| plan.flags & flag::LOCAL_FIRST == 0) else {
        return 1.0;
    };
    let mut before = 0;
    let widths = plan.targets[..plan.count as usize].iter().map(|target| {
        let width = target.cumulative - before;
        before = target.cumulative;
        if target.backend == dfaas_common::count::LOCAL { width } else { 0 }
    });
    f64::from(widths.sum::<u32>()) / f64::from(WHOLE)
}
