use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{
    Capacity, FunctionId, FunctionMeasurements, FunctionPlan, Measurements, NodeId, Options, Random, Time,
};

use super::neighbours::{rate, serving};
use super::plans::{divided, plan};
use super::technique::{Act, Technique};

/// Part of what is left of each function that goes in one step.
const STEP: f64 = 0.01;

/// After so many steps next to nothing is left.
const MOST_STEPS: u32 = 1_500;

/// `dfaas-equal`: an overloaded node sheds a hundredth of what is left of each function, again and again until the model of
/// its capacity says that it is overloaded no more; what is shed is divided evenly among the peers that have the function,
/// whatever they do. The model is [`Capacity`], which learns while it runs, in place of the original's trained one.
#[derive(Debug)]
pub struct Equal {
    threshold: f64,
    lifetime: Duration,
    capacity: Capacity,
}

impl Equal {
    /// A node that has measured nothing yet; it is overloaded above `options.nodemargin_threshold` percent.
    pub fn new(options: &Options) -> Self {
        let threshold = options.nodemargin_threshold.clamp(1.0, 100.0);
        Self { threshold, lifetime: options.lifetime(), capacity: Capacity::default() }
    }

    /// The part of each function that stays.
    fn kept(&self, rates: &BTreeMap<FunctionId, f64>) -> f64 {
        let over = |part: f64| {
            let rates = rates.iter().map(|(id, rate)| (*id, rate * part)).collect();
            self.capacity.usage(&rates) > self.threshold
        };
        let mut kept = 1.0;
        for _ in 0..MOST_STEPS {
            if !over(kept) {
                break;
            }
            kept *= 1.0 - STEP;
        }
        kept
    }
}

impl Technique for Equal {
    fn name(&self) -> &'static str {
        "dfaas-equal"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Act> {
        let here = measured.functions.iter().filter(|(_, function)| function.here);
        let served = |function: &FunctionMeasurements| {
            let guess = rate(function.user_rate).min(function.max_rate.unwrap_or(f64::INFINITY));
            function.completion_rate.map_or(guess + rate(function.peer_rate), rate)
        };
        let served = here.clone().map(|(id, function)| (*id, served(function))).collect();
        self.capacity.learn(measured, &served);
        let asked = here.map(|(id, function)| (*id, rate(function.user_rate))).collect();
        let kept = self.kept(&asked);
        let of = |id: FunctionId, function: &FunctionMeasurements| -> FunctionPlan {
            let peers = serving(id, function, measured);
            let stays = if !function.here {
                0.0
            } else if peers.is_empty() {
                1.0
            } else {
                kept
            };
            let each = (1.0 - stays) / peers.len().max(1) as f64;
            let weights: Vec<(NodeId, f64)> = peers.into_iter().map(|node| (node, each)).collect();
            divided(stays, &weights, function)
        };
        vec![plan(measured, self.lifetime, of)]
    }
}
