use std::time::Duration;

use dfaas_control::{Measurements, Options, Random, Time};

use super::plans::{all_here, plan};
use super::technique::{Act, Technique};

/// `p2c-per-request`: the power of two choices as in the textbook (Mitzenmacher, "The power of two choices in randomized
/// load balancing", IEEE TPDS 2001; P2PFaaS does it between edge nodes): a request that would wait here asks two peers drawn
/// at random how long it would wait there, waits for both answers, and goes where its turn comes first.
///
/// It knows more than the pool of `p2c` and pays a round-trip time and four messages for each such request, which no kernel
/// could wait for: what it shows is how much is lost by answers that are a little old.
#[derive(Debug)]
pub struct PerRequest {
    lifetime: Duration,
}

impl PerRequest {
    /// A node that keeps nothing in mind.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime() }
    }
}

impl Technique for PerRequest {
    fn name(&self) -> &'static str {
        "p2c-per-request"
    }

    fn probes_per_request(&self) -> bool {
        true
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Act> {
        vec![plan(measured, self.lifetime, |_, function| all_here(function))]
    }
}
