//! A scenario with everything drawn that it leaves to chance: the federation of one seed.

mod functions;
mod layout;
mod measured;
mod neighbours;
mod offers;
mod rates;

use std::time::Duration;

use dfaas_control::FunctionId;

use crate::random::{Stream, stream};
use crate::scenario::{Law, Scenario};

pub use offers::Offer;
pub use rates::Rates;

/// Nanoseconds of virtual time, counted from the start of the warm-up.
pub type Nanos = u64;

/// Nanoseconds of a duration.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// One function.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its number, as messages carry it.
    pub id: FunctionId,
    /// Mean processor time.
    pub cpu: Nanos,
    /// Standard deviation over mean.
    pub cv: f64,
    /// Distribution of the time.
    pub law: Law,
    /// Time within which an answer is of use.
    pub deadline: Nanos,
    /// Bytes of a request.
    pub payload: u64,
    /// Its part of the work, relative to others'.
    pub weight: f64,
    /// Most invocations a second that a node serves.
    pub max_rate: Option<f64>,
    /// Most invocations at one time at a node's gateway.
    pub max_inflight: Option<u32>,
    /// MiB that an instance takes.
    pub memory: u64,
    /// Requests that an instance serves at one time.
    pub concurrency: Option<u32>,
    /// Time that an instance takes to start.
    pub cold_start: Nanos,
}

/// The federation.
#[derive(Debug, Clone, PartialEq)]
pub struct Federation {
    /// Processors of each node.
    pub cores: Vec<u32>,
    /// Round-trip times, row by row.
    rtts: Vec<Nanos>,
    /// Each node's neighbours, in the order of their numbers.
    pub neighbours: Vec<Vec<usize>>,
    /// The functions, in the order of their ids.
    pub functions: Vec<Service>,
    /// What nodes offer, node by node.
    offers: Vec<Option<Offer>>,
    /// Which nodes are hot after the step.
    pub hot: Vec<bool>,
    /// What users ask for.
    pub rates: Rates,
}

impl Federation {
    /// Draws what the scenario leaves open.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut random = stream(seed, Stream::Setup);
        let count = scenario.nodes.count;
        let runs = scenario.load.runs.as_ref();
        let drawn = runs.map_or(Vec::new(), |runs| measured::drawn(runs, count, &mut random));
        let cores = match runs {
            Some(runs) => drawn.iter().map(|run| runs.kinds[run.kind].cores).collect(),
            None => layout::cores(&scenario.nodes, &mut random),
        };
        let rtts = layout::rtts(&scenario.network, count, &mut random);
        let neighbours = neighbours::neighbours(&scenario.network, count, &rtts, &mut random);
        let functions = functions::functions(scenario, &mut random);
        let offers = offers::offers(&scenario.nodes, &functions, &drawn);
        let hot = rates::hot(scenario, count, &rtts, &mut random);
        let pieces = runs.map(|runs| measured::pieces(runs, &drawn));
        let pieces = pieces.as_ref().unwrap_or(&scenario.load.rates);
        let rates = rates::rates(scenario, pieces, &cores, &functions, &hot, &mut random);
        Self { cores, rtts, neighbours, functions, offers, hot, rates }
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.cores.len()
    }

    /// The round-trip time between two nodes.
    pub fn rtt(&self, a: usize, b: usize) -> Nanos {
        self.rtts[a * self.nodes() + b]
    }

    /// What a node offers of a function; `None`: it does not have it.
    pub fn offer(&self, node: usize, function: usize) -> Option<Offer> {
        self.offers[node * self.functions.len() + function]
    }

    /// Work that users of a node ask for, over its processors, in one piece of the rates.
    pub fn utilisation(&self, piece: usize, node: usize) -> f64 {
        let rates = self.rates.of(piece, node);
        let work: f64 = rates.iter().zip(&self.functions).map(|(rate, f)| rate * f.cpu as f64 / 1e9).sum();
        work / f64::from(self.cores[node])
    }

    /// The largest part of anything that a node has, processors and limits of functions, that its users ask for in one piece
    /// of the rates.
    pub fn scarcest(&self, piece: usize, node: usize) -> f64 {
        let rates = self.rates.of(piece, node).iter().enumerate();
        let limited = rates.filter_map(|(function, rate)| Some(rate / self.offer(node, function)?.max_rate?));
        limited.fold(self.utilisation(piece, node), f64::max)
    }

    /// Whether the users of a node never ask for more than it has.
    pub fn is_never_overloaded(&self, node: usize) -> bool {
        (0..self.rates.pieces()).all(|piece| self.scarcest(piece, node) <= 1.0)
    }
}
