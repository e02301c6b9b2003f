use std::time::Duration;

use super::plain::set_plan;
use crate::command::Command;
use crate::factory::Options;
use crate::id::Time;
use crate::measurements::Measurements;
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
        set_plan(measured, self.lifetime, |_, _| Shares::all(Target::Local))
    }
}
