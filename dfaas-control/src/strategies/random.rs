use std::time::Duration;

use super::plain::{candidates, set_plan};
use crate::command::Command;
use crate::factory::Options;
use crate::id::{FunctionId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::random::Random;
use crate::shares::{MAX_TARGETS, Shares, Target};
use crate::strategy::Strategy;

/// Random parts, drawn anew at each tick: of this node, each peer that has the function, and, if
/// [`Options::random_reject`] says so, of refusal. What better strategies must beat.
///
/// Of more peers than a plan holds, those with the largest draws are used. Without a usable peer a function that is
/// here stays, but for the part that is refused.
#[derive(Debug)]
pub struct RandomParts {
    reject: bool,
    lifetime: Duration,
}

impl RandomParts {
    /// Refuses a part if `options.random_reject` says so.
    pub fn new(options: &Options) -> Self {
        Self { reject: options.random_reject, lifetime: options.lifetime() }
    }

    fn shares(
        &self,
        id: FunctionId,
        function: &FunctionMeasurements,
        measured: &Measurements,
        random: &mut dyn Random,
    ) -> Shares {
        let peers: Vec<Target> =
            candidates(id, function, measured).map(|(node, _)| Target::Peer(node)).collect();
        if function.local_only || (peers.is_empty() && !function.here) {
            return Shares::all(Target::Local);
        }
        let mut weights: Vec<(Target, f64)> = peers.into_iter().map(|peer| (peer, random.unit())).collect();
        weights.sort_by(|a, b| b.1.total_cmp(&a.1));
        let others = [(Target::Local, function.here), (Target::Reject, self.reject)];
        let others = others.into_iter().filter(|(_, wanted)| *wanted).map(|(target, _)| target);
        weights.truncate(MAX_TARGETS - others.clone().count());
        weights.extend(others.map(|target| (target, random.unit())));
        // Only if every draw was 0.
        Shares::proportional(&weights).unwrap_or_else(|_| Shares::all(Target::Local))
    }
}

impl Strategy for RandomParts {
    fn name(&self) -> &'static str {
        "random"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Command> {
        set_plan(measured, self.lifetime, |id, function| self.shares(id, function, measured, random))
    }
}
