use std::time::Duration;

use super::plain::{candidates, set_plan};
use crate::command::Command;
use crate::factory::Options;
use crate::id::{FunctionId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::random::Random;
use crate::shares::{MAX_TARGETS, Shares, Target};
use crate::strategy::Strategy;

/// Fixed parts: a configured percentage stays here, the rest is divided among the peers that have the function, in
/// proportion to their configured shares.
///
/// Without a usable peer everything stays. Of more peers than a plan holds, those with the largest shares are used.
#[derive(Debug)]
pub struct Static {
    /// Percent that stays, 0 to 100.
    local: f64,
    lifetime: Duration,
}

impl Static {
    /// Keeps `options.static_local` percent here.
    pub fn new(options: &Options) -> Self {
        Self { local: options.static_local.clamp(0.0, 100.0), lifetime: options.lifetime() }
    }

    fn shares(&self, id: FunctionId, function: &FunctionMeasurements, measured: &Measurements) -> Shares {
        let everything_here = Shares::all(Target::Local);
        let mut peers: Vec<(Target, f64)> =
            candidates(id, function, measured).map(|(node, peer)| (Target::Peer(node), peer.share)).collect();
        if peers.is_empty() {
            return everything_here;
        }
        // A stable sort: of equal shares the lower node id stays in front.
        peers.sort_by(|a, b| b.1.total_cmp(&a.1));
        peers.truncate(MAX_TARGETS - 1);
        let largest = peers[0].1;
        let sum: f64 = peers.iter().map(|(_, share)| share / largest).sum();
        // A function that only peers have cannot be served here.
        let local = if function.here { self.local } else { 0.0 };
        let mut weights = vec![(Target::Local, local)];
        weights.extend(
            peers.into_iter().map(|(target, share)| (target, (100.0 - local) * (share / largest) / sum)),
        );
        Shares::proportional(&weights).unwrap_or(everything_here)
    }
}

impl Strategy for Static {
    fn name(&self) -> &'static str {
        "static"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Command> {
        set_plan(measured, self.lifetime, |id, function| self.shares(id, function, measured))
    }
}
