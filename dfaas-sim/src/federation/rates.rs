use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::seq::{SliceRandom, index};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Nanos, Service, nanos};
use crate::scenario::{Catalogue, Piece, Scenario};

/// Invocations a second by piece of time, node and function.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// When each piece begins; the first at 0.
    begins: Vec<Nanos>,
    /// Of all pieces, nodes and functions, in this order.
    rates: Vec<f64>,
    nodes: usize,
    functions: usize,
}

impl Rates {
    /// Number of pieces.
    pub fn pieces(&self) -> usize {
        self.begins.len()
    }

    /// When a piece begins.
    pub fn begins(&self, piece: usize) -> Nanos {
        self.begins[piece]
    }

    /// Rates of all functions at a node.
    pub fn of(&self, piece: usize, node: usize) -> &[f64] {
        let from = (piece * self.nodes + node) * self.functions;
        &self.rates[from..from + self.functions]
    }
}

/// Which nodes become hot.
pub(super) fn hot(scenario: &Scenario, count: usize, rtts: &[Nanos], random: &mut ChaCha8Rng) -> Vec<bool> {
    let part = scenario.load.step.as_ref().map_or(0.0, |step| step.hot);
    let number = ((part * count as f64).round() as usize).min(count);
    let mut hot = vec![false; count];
    if scenario.load.step.as_ref().is_some_and(|step| step.region) {
        let middle = random.random_range(0..count);
        let mut nodes: Vec<usize> = (0..count).collect();
        nodes.sort_by_key(|node| (rtts[middle * count + node], *node));
        nodes.into_iter().take(number).for_each(|node| hot[node] = true);
    } else {
        index::sample(random, count, number).into_iter().for_each(|node| hot[node] = true);
    }
    hot
}

/// What users ask for: what `pieces` say, or what the scenario lets be drawn.
pub(super) fn rates(
    scenario: &Scenario,
    pieces: &[Piece],
    cores: &[u32],
    functions: &[Service],
    hot: &[bool],
    random: &mut ChaCha8Rng,
) -> Rates {
    let begins: Vec<Nanos> = boundaries(scenario, pieces).into_iter().collect();
    let (nodes, count) = (cores.len(), functions.len());
    let mut rates = vec![0.0; begins.len() * nodes * count];
    if pieces.is_empty() {
        let parts = parts(scenario, nodes, functions, random);
        for (begin, rates) in begins.iter().zip(rates.chunks_mut(nodes * count)) {
            piece(scenario, *begin, cores, functions, hot, &parts, random, rates);
        }
    } else {
        given(scenario, pieces, &begins, nodes, functions, &mut rates);
        if scenario.load.utilisation > 0.0 {
            scale(scenario, &begins, cores, functions, &mut rates);
        }
    }
    Rates { begins, rates, nodes, functions: count }
}

/// The rates that are listed.
fn given(
    scenario: &Scenario,
    pieces: &[Piece],
    begins: &[Nanos],
    nodes: usize,
    functions: &[Service],
    rates: &mut [f64],
) {
    let index: BTreeMap<&str, usize> =
        functions.iter().enumerate().map(|(index, function)| (function.name.as_str(), index)).collect();
    let mut changes: Vec<_> = pieces.iter().collect();
    changes.sort_by_key(|piece| piece.from);
    let mut now = vec![0.0; nodes * functions.len()];
    let mut changes = changes.into_iter().peekable();
    for (begin, rates) in begins.iter().zip(rates.chunks_mut(now.len())) {
        while let Some(piece) = changes.next_if(|piece| from(scenario, piece.from) <= *begin) {
            if let Some(function) = index.get(piece.function.as_str()) {
                now[piece.node * functions.len() + function] = piece.rate;
            }
        }
        rates.copy_from_slice(&now);
    }
}

/// Scales all rates so that the work after the warm-up is in the mean the wanted part of all processors.
fn scale(scenario: &Scenario, begins: &[Nanos], cores: &[u32], functions: &[Service], rates: &mut [f64]) {
    let (begin, end) = (nanos(scenario.warmup), nanos(scenario.warmup + scenario.duration));
    let mut work = 0.0;
    for (piece, rates) in rates.chunks(cores.len() * functions.len()).enumerate() {
        let ends = begins.get(piece + 1).copied().unwrap_or(end);
        let length = ends.min(end).saturating_sub(begins[piece].max(begin)) as f64;
        let of = rates.iter().zip(functions.iter().cycle()).map(|(rate, of)| rate * of.cpu as f64 / 1e9);
        work += length / (end - begin) as f64 * of.sum::<f64>();
    }
    let whole: f64 = cores.iter().map(|cores| f64::from(*cores)).sum();
    let factor = if work > 0.0 { scenario.load.utilisation * whole / work } else { 0.0 };
    rates.iter_mut().for_each(|rate| *rate *= factor);
}

/// A moment of the file, counted from the start of the warm-up; what is there from 0 on is there before too.
fn from(scenario: &Scenario, moment: std::time::Duration) -> Nanos {
    if moment.is_zero() { 0 } else { nanos(scenario.warmup + moment) }
}

fn boundaries(scenario: &Scenario, pieces: &[Piece]) -> BTreeSet<Nanos> {
    let load = &scenario.load;
    let end = nanos(scenario.warmup + scenario.duration);
    let mut begins = BTreeSet::from([0]);
    begins.extend(pieces.iter().map(|piece| from(scenario, piece.from)));
    if pieces.is_empty() {
        let step = load.step.iter().flat_map(|step| [Some(step.at), step.until]);
        begins.extend(step.flatten().map(|at| nanos(scenario.warmup + at)));
        if let Some(variability) = &load.variability {
            let every = nanos(variability.every);
            // Pieces meet the end of the warm-up.
            let first = nanos(scenario.warmup) % every;
            begins.extend((0..).map(|n| first + n * every).take_while(|at| *at < end));
        }
    }
    begins.retain(|at| *at < end);
    begins
}

/// The part of each function in the work of each node.
fn parts(scenario: &Scenario, nodes: usize, functions: &[Service], random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut parts = Vec::with_capacity(nodes * functions.len());
    for _ in 0..nodes {
        let mut of_node: Vec<f64> = match &scenario.catalogue {
            Some(catalogue) => called(catalogue, functions, random),
            None => functions.iter().map(|function| function.weight).collect(),
        };
        if scenario.catalogue.is_none() {
            let sum: f64 = of_node.iter().sum();
            of_node.iter_mut().for_each(|part| *part /= sum.max(f64::MIN_POSITIVE));
        }
        parts.extend(of_node);
    }
    parts
}

/// Work of what users of a node call of a catalogue, of which one call of the median function a second is 1.
fn called(catalogue: &Catalogue, functions: &[Service], random: &mut ChaCha8Rng) -> Vec<f64> {
    let number = random.random_range(catalogue.called.0..=catalogue.called.1);
    let mut order: Vec<usize> = (0..functions.len()).collect();
    order.shuffle(random);
    let mut work = vec![0.0; functions.len()];
    for function in order.into_iter().take(number) {
        let normal: f64 = StandardNormal.sample(random);
        let relative = functions[function].cpu as f64 / nanos(catalogue.cpu) as f64;
        work[function] = (catalogue.popularity * normal).exp() * relative;
    }
    work
}

/// Rates of one piece.
#[expect(clippy::too_many_arguments, reason = "each is a different thing")]
fn piece(
    scenario: &Scenario,
    begin: Nanos,
    cores: &[u32],
    functions: &[Service],
    hot: &[bool],
    parts: &[f64],
    random: &mut ChaCha8Rng,
    rates: &mut [f64],
) {
    let load = &scenario.load;
    let is_hot = load.step.as_ref().filter(|step| {
        let at = |moment| nanos(scenario.warmup + moment);
        at(step.at) <= begin && step.until.is_none_or(|until| begin < at(until))
    });
    let spread = load.variability.as_ref().map_or(0.0, |variability| variability.spread);
    let count = functions.len();
    let (mut sum, mut whole) = (0.0, 0.0);
    for (node, of_node) in rates.chunks_mut(count).enumerate() {
        let factor = is_hot.filter(|_| hot[node]).map_or(1.0, |step| step.factor);
        let weight = f64::from(cores[node]);
        whole += weight;
        for (function, rate) in of_node.iter_mut().enumerate() {
            let part = parts[node * count + function];
            let varied = if spread > 0.0 && part > 0.0 {
                let normal: f64 = StandardNormal.sample(random);
                // The mean of it is 1.
                (spread * normal - spread * spread / 2.0).exp()
            } else {
                1.0
            };
            let work = weight * factor * part * varied;
            sum += work;
            *rate = work / (functions[function].cpu as f64 / 1e9);
        }
    }
    let scale = if sum > 0.0 { load.utilisation * whole / sum } else { 0.0 };
    rates.iter_mut().for_each(|rate| *rate *= scale);
}
