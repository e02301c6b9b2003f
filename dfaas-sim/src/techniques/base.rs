use std::time::Duration;

use dfaas_control::{Measurements, Options, Random, Time};

use super::plans::{all_here, limited, plan};
use super::technique::{Act, Technique};

/// `dfaas-base`: nothing is forwarded, what is beyond a function's limit is refused. Both simulators of the original
/// compare the others with it.
#[derive(Debug)]
pub struct Base {
    lifetime: Duration,
}

impl Base {
    /// A node on its own.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime() }
    }
}

impl Technique for Base {
    fn name(&self) -> &'static str {
        "dfaas-base"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Act> {
        vec![plan(measured, self.lifetime, |_, function| limited(all_here(function), function))]
    }
}
