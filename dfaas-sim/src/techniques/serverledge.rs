use std::time::Duration;

use dfaas_control::{
    FunctionId, FunctionMeasurements, FunctionPlan, Measurements, NodeId, Options, Random, Time,
};

use super::neighbours::{Heard, serving};
use super::plans::{plan, rest_to};
use super::state::{FunctionState, StateWord};
use super::technique::{Act, Technique, Word};

/// Processors that an instance at work holds.
const CPU_DEMAND: f64 = 1.0;

/// Memory in bytes that a new instance takes.
const MEMORY: u64 = 128 << 20;

/// `serverledge`: the edge-to-edge offloading of Serverledge (Russo Russo, Mannucci, Cardellini, Lo Presti, PerCom 2023): an
/// invocation for which the node has no processor free goes to a neighbour that has a warm instance and a processor free,
/// by what neighbours told last; if there is none, to one that has the memory for a new instance; else it is refused.
///
/// Of several it takes any. A plan cannot count the processors that all functions hold together, so each function alone
/// may hold all of them, and the node's queue holds the rest.
#[derive(Debug)]
pub struct Serverledge {
    lifetime: Duration,
    heard: Heard<StateWord>,
}

impl Serverledge {
    /// A node that has heard nothing yet.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime(), heard: Heard::new(options.lifetime()) }
    }

    fn of(&self, id: FunctionId, function: &FunctionMeasurements, measured: &Measurements) -> FunctionPlan {
        let told = |node: NodeId| Some((node, self.heard.get(node)?));
        let peers = serving(id, function, measured).into_iter().filter_map(told);
        let idle: Vec<(NodeId, &StateWord)> =
            peers.filter(|(_, word)| word.cores * (1.0 - word.cpu) >= CPU_DEMAND).collect();
        let instances = |state: &FunctionState| state.replicas > 0;
        let warm = |word: &StateWord| word.function(id).is_some_and(instances);
        let mut chosen: Vec<(NodeId, f64)> =
            idle.iter().filter(|(_, word)| warm(word)).map(|(node, _)| (*node, 1.0)).collect();
        if chosen.is_empty() {
            let fits = idle.iter().filter(|(_, word)| word.memory_free >= MEMORY);
            chosen = fits.map(|(node, _)| (*node, 1.0)).collect();
        }
        let cores = measured.node.cores.filter(|cores| cores.is_finite() && *cores >= CPU_DEMAND);
        let most = cores.map(|cores| (cores / CPU_DEMAND).min(1e6) as u32);
        let inflight = [most, function.max_inflight].into_iter().flatten().min();
        FunctionPlan { local_inflight: inflight, ..rest_to(&chosen, function) }
    }
}

impl Technique for Serverledge {
    fn name(&self) -> &'static str {
        "serverledge"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Act> {
        self.heard.forget(now, measured);
        let mut acts = vec![plan(measured, self.lifetime, |id, function| self.of(id, function, measured))];
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
