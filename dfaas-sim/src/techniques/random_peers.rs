use std::time::Duration;

use dfaas_control::{Measurements, Options, Random, Time};

use super::neighbours::{overloaded, serving};
use super::plans::{all_here, limited, plan, rest_to};
use super::technique::{Act, Technique};

/// `dfaas-random`: what an overloaded function has too much goes to the peers by weights that are drawn anew at each tick,
/// whole numbers from 0 to 100. Nothing is known of the peers but that they have the function.
#[derive(Debug)]
pub struct RandomPeers {
    lifetime: Duration,
}

impl RandomPeers {
    /// A node that knows nothing.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime() }
    }
}

impl Technique for RandomPeers {
    fn name(&self) -> &'static str {
        "dfaas-random"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Act> {
        let mut weight = || (random.unit() * 101.0).floor();
        vec![plan(measured, self.lifetime, |id, function| {
            if function.here && !overloaded(function) {
                return limited(all_here(function), function);
            }
            let weights: Vec<_> =
                serving(id, function, measured).into_iter().map(|node| (node, weight())).collect();
            limited(rest_to(&weights, function), function)
        })]
    }
}
