use std::fmt;

use super::spared;
use crate::engine::{RunError, Violation, run_in};
use crate::federation::Federation;
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::techniques::UnknownTechnique;

/// A node has enough for its users if they ask for at most this part of its processors and limits.
const ENOUGH: f64 = 0.85;

/// Of fewer requests than this a part says little.
const FEW: u32 = 200;

/// What must never happen and did.
#[derive(Debug, Clone, PartialEq)]
pub enum Broken {
    /// The engine saw it.
    Rule(Violation),
    /// Users of a node without fault, and with enough for them, got less than without sharing.
    Starved {
        /// The node.
        node: usize,
        /// Part of its users' requests that was answered in time.
        goodput: f64,
        /// The same with `alllocal`.
        alone: f64,
        /// By how much it may be less.
        allowed: f64,
    },
    /// The same seed gave two runs: their digests.
    Unlike(u64, u64),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(violation) => write!(f, "{violation}"),
            Self::Starved { node, goodput, alone, allowed } => write!(
                f,
                "users of node {node}, which has enough for them and no fault, get {goodput:.4} of their requests in time, \
                 {alone:.4} without sharing; {allowed} less is allowed"
            ),
            Self::Unlike(first, second) => {
                write!(f, "two runs of the same seed are unlike: digests {first:016x} and {second:016x}")
            }
        }
    }
}

impl Broken {
    /// Whether it is the same kind of thing.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A scenario to be run with a technique and a seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What is simulated.
    pub scenario: Scenario,
    /// The technique.
    pub technique: String,
    /// The seed.
    pub seed: u64,
    /// What the technique promises: see [`spared`].
    pub spared: Option<f64>,
}

impl Case {
    /// With what is known to be promised.
    pub fn new(scenario: Scenario, technique: &str, seed: u64) -> Self {
        Self { scenario, technique: technique.to_owned(), seed, spared: spared(technique) }
    }

    /// Runs it and checks all that must hold; what is broken.
    ///
    /// # Errors
    /// If there is no such technique.
    pub fn check(&self) -> Result<Option<Broken>, UnknownTechnique> {
        let federation = Federation::new(&self.scenario, self.seed);
        let run = |technique: &str| match run_in(&self.scenario, &federation, technique, self.seed) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(RunError::Violation(violation)) => Ok(Err(Broken::Rule(violation))),
            Err(RunError::Technique(error)) => Err(error),
        };
        let (first, second) = match (run(&self.technique)?, run(&self.technique)?) {
            (Ok(first), Ok(second)) => (first, second),
            (Err(broken), _) | (_, Err(broken)) => return Ok(Some(broken)),
        };
        if first != second {
            return Ok(Some(Broken::Unlike(first.digest, second.digest)));
        }
        let Some(allowed) = self.spared else { return Ok(None) };
        let alone = match run("alllocal")? {
            Ok(alone) => alone,
            Err(broken) => return Ok(Some(broken)),
        };
        let mut spared = (0..federation.nodes()).filter(|node| self.spares(&federation, *node));
        Ok(spared.find_map(|node| starved(node, &first, &alone, allowed)))
    }

    /// Whether a node has no fault and enough for its users at all times.
    pub fn spares(&self, federation: &Federation, node: usize) -> bool {
        let faulty = self.scenario.failures.iter().any(|failure| failure.nodes.contains(&node));
        let enough = |piece: usize| {
            let rates = federation.rates.of(piece, node).iter().zip(&federation.functions);
            let mut limited = rates.filter_map(|(rate, function)| Some(rate / function.max_rate?));
            federation.utilisation(piece, node) <= ENOUGH && limited.all(|part| part <= ENOUGH)
        };
        !faulty && (0..federation.rates.pieces()).all(enough)
    }
}

fn starved(node: usize, outcome: &Outcome, alone: &Outcome, allowed: f64) -> Option<Broken> {
    let asked: u32 = outcome.series[node].iter().map(|second| second.asked).sum();
    let part = |outcome: &Outcome| outcome.goodput_of(|other| other == node);
    let (goodput, alone) = (part(outcome), part(alone));
    (asked >= FEW && goodput < alone - allowed).then_some(Broken::Starved { node, goodput, alone, allowed })
}
