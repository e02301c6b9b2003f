use std::time::Duration;

use dfaas_control::{
    FunctionId, FunctionMeasurements, FunctionPlan, Measurements, NodeId, Options, Random, Time,
};

use super::metrics::weights;
use super::neighbours::{Heard, overloaded, serving};
use super::plans::{all_here, limited, plan, rest_to};
use super::state::StateWord;
use super::technique::{Act, Technique, Word};

/// How often a weight is disturbed.
const DISTURBED: f64 = 0.6;

/// Largest part of a weight by which it is disturbed.
const DISTURBANCE: f64 = 0.4;

/// `dfaas-empirical`: what an overloaded function has too much goes to the peers where it is not overloaded, by the mean of
/// eight metrics. Six of ten weights, drawn anew at each tick, are made larger or smaller by up to 40 %, so that not
/// all nodes choose the same peer.
#[derive(Debug)]
pub struct Empirical {
    lifetime: Duration,
    heard: Heard<StateWord>,
}

impl Empirical {
    /// A node that has heard nothing yet.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime(), heard: Heard::new(options.lifetime()) }
    }

    fn of(
        &self,
        id: FunctionId,
        function: &FunctionMeasurements,
        measured: &Measurements,
        random: &mut dyn Random,
    ) -> FunctionPlan {
        if function.here && !overloaded(function) {
            return all_here(function);
        }
        let helper = |node: NodeId| {
            let word = self.heard.get(node)?;
            let state = word.function(id).filter(|state| !state.overloaded && state.max_rate.is_some())?;
            Some((node, (word, state)))
        };
        let (nodes, helpers): (Vec<_>, Vec<_>) =
            serving(id, function, measured).into_iter().filter_map(helper).unzip();
        let weights = weights(&helpers).into_iter().map(|weight| weight * disturbance(random));
        rest_to(&nodes.into_iter().zip(weights).collect::<Vec<_>>(), function)
    }
}

/// What a weight is multiplied by.
fn disturbance(random: &mut dyn Random) -> f64 {
    if random.unit() > DISTURBED {
        return 1.0;
    }
    let by = random.unit() * DISTURBANCE;
    if random.unit() >= 0.5 { 1.0 + by } else { 1.0 - by }
}

impl Technique for Empirical {
    fn name(&self) -> &'static str {
        "dfaas-empirical"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Act> {
        self.heard.forget(now, measured);
        let mut acts = vec![plan(measured, self.lifetime, |id, function| {
            limited(self.of(id, function, measured, random), function)
        })];
        acts.extend(StateWord::to_all(measured));
        acts
    }

    fn on_word(&mut self, now: Time, from: NodeId, word: &Word) -> Vec<Act> {
        if let Word::State(word) = word {
            self.heard.take(now, from, word.clone());
        }
        Vec::new()
    }
}
