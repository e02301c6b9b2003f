use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{FunctionId, FunctionMeasurements, Measurements, NodeId, Options, Random, Time};
use serde::{Deserialize, Serialize};

use super::neighbours::{Heard, rate, serving};
use super::plans::{divided, plan};
use super::shedding::{Moved, Taker, shed};
use super::technique::{Act, Technique, Word};

/// Part of its greatest power that a node may use.
const CAP: f64 = 0.7;

/// Part of its greatest power that a node uses when it does nothing.
const IDLE: f64 = 0.4;

/// What the sender of a [`Word::Power`] may still use, in percent of what it may use at all.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PowerWord {
    /// Points that each peer may add; 0: none is left.
    pub margin: f64,
    /// Points that one invocation a second of each of its functions adds.
    pub costs: Vec<(FunctionId, f64)>,
}

/// `dfaas-power-saving`: a node that would use more than 70 % of its greatest power moves load away, a hundredth of what is
/// left at a time, while the rise at the peer stays below the margin that it told. A margin is what is left of a node's
/// power, divided evenly among its peers that have a function in common with it.
///
/// The original predicted power by a trained model. Here it is linear in the use of processors, `idle + (1 - idle) u`, as
/// servers' is to a good part (Fan, Weber, Barroso: Power provisioning for a warehouse-sized computer, ISCA 2007), with an
/// idle node at 40 %. What users ask for counts as if all of it were served here.
#[derive(Debug)]
pub struct PowerSaving {
    lifetime: Duration,
    heard: Heard<PowerWord>,
}

impl PowerSaving {
    /// A node that has heard nothing yet.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime(), heard: Heard::new(options.lifetime()) }
    }

    fn moved(
        &self,
        measured: &Measurements,
        asked: &BTreeMap<FunctionId, f64>,
        costs: &BTreeMap<FunctionId, f64>,
    ) -> Moved {
        let taker = |node: &NodeId| {
            let word = self.heard.get(*node).filter(|word| word.margin > 0.0 && word.margin.is_finite())?;
            let may = |id: &FunctionId| {
                measured
                    .functions
                    .get(id)
                    .is_some_and(|of| of.here && serving(*id, of, measured).contains(node))
            };
            let told = word.costs.iter().filter(|(id, cost)| may(id) && cost.is_finite() && *cost > 0.0);
            Some(Taker { node: *node, margin: word.margin, costs: told.copied().collect() })
        };
        let takers = measured.peers.keys().filter_map(taker).collect();
        shed(asked, takers, |left| usage(left, costs) <= 100.0)
    }
}

/// Points that one invocation a second of each function adds here: nothing where processor time is not measured.
fn costs(measured: &Measurements) -> BTreeMap<FunctionId, f64> {
    let cores = measured.node.cores.filter(|cores| *cores > 0.0 && cores.is_finite());
    let cost = |of: &FunctionMeasurements| {
        let time = of.cpu_time.or(of.service_time)?.as_secs_f64();
        Some(100.0 * (1.0 - IDLE) * time / cores? / CAP)
    };
    let here = measured.functions.iter().filter(|(_, of)| of.here);
    here.filter_map(|(id, of)| Some((*id, cost(of)?))).collect()
}

/// Percent of the power that may be used, at these rates.
fn usage(rates: &BTreeMap<FunctionId, f64>, costs: &BTreeMap<FunctionId, f64>) -> f64 {
    let sum: f64 = rates.iter().map(|(id, rate)| rate * costs.get(id).copied().unwrap_or(0.0)).sum();
    100.0 * IDLE / CAP + sum
}

impl Technique for PowerSaving {
    fn name(&self) -> &'static str {
        "dfaas-power-saving"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Act> {
        self.heard.forget(now, measured);
        let here = measured.functions.iter().filter(|(_, of)| of.here);
        let asked: BTreeMap<FunctionId, f64> =
            here.clone().map(|(id, of)| (*id, rate(of.user_rate))).collect();
        let costs = costs(measured);
        let moved = self.moved(measured, &asked, &costs);
        let mut acts = vec![plan(measured, self.lifetime, |id, function| {
            if !function.here {
                let even: Vec<_> =
                    serving(id, function, measured).into_iter().map(|node| (node, 1.0)).collect();
                return divided(0.0, &even, function);
            }
            let all = asked.get(&id).copied().unwrap_or(0.0);
            let parts: Vec<(NodeId, f64)> =
                moved.get(&id).into_iter().flatten().map(|(node, rate)| (*node, rate / all)).collect();
            let away: f64 = parts.iter().map(|(_, part)| part).sum();
            divided((1.0 - away).max(0.0), &parts, function)
        })];
        let shared: Vec<FunctionId> = here.filter(|(_, of)| !of.local_only).map(|(id, _)| *id).collect();
        let common: Vec<NodeId> = measured
            .peers
            .iter()
            .filter(|(_, peer)| shared.iter().any(|id| peer.serves(*id, true)))
            .map(|(n, _)| *n)
            .collect();
        let margin = (100.0 - usage(&asked, &costs)).max(0.0) / common.len().max(1) as f64;
        let told = costs.into_iter().filter(|(id, _)| shared.contains(id)).collect();
        let word = Word::Power(PowerWord { margin, costs: told });
        acts.extend(common.into_iter().map(|node| Act::Say(node, word.clone())));
        acts
    }

    fn on_word(&mut self, now: Time, from: NodeId, word: &Word) -> Vec<Act> {
        if let Word::Power(word) = word {
            self.heard.take(now, from, word.clone());
        }
        Vec::new()
    }
}
