use std::time::Duration;

use crate::command::Command;
use crate::factory::Options;
use crate::id::Time;
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::plan::{FunctionPlan, Plan};
use crate::random::Random;
use crate::shares::{Shares, Target};
use crate::strategy::Strategy;

/// Nothing leaves the node: what other strategies are compared with. The functions' own limits hold.
#[derive(Debug)]
pub struct AllLocal {
    lifetime: Duration,
}

impl AllLocal {
    /// A node on its own.
    pub fn new(options: &Options) -> Self {
        Self { lifetime: options.lifetime() }
    }
}

impl Strategy for AllLocal {
    fn name(&self) -> &'static str {
        "alllocal"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Command> {
        let functions = measured
            .functions
            .iter()
            .map(|(id, function)| (*id, with_own_limits(Shares::all(Target::Local), function)))
            .collect();
        vec![Command::SetPlan(Plan { functions, admission: Default::default(), lifetime: self.lifetime })]
    }
}

/// A plan with these shares, and the limits that the function's labels or configuration ask for.
pub(super) fn with_own_limits(shares: Shares, function: &FunctionMeasurements) -> FunctionPlan {
    FunctionPlan {
        local_inflight: function.max_inflight,
        local_rate: function.max_rate,
        ..FunctionPlan::new(shares)
    }
}
