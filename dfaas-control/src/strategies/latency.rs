use std::time::Duration;

use super::plain::{candidates, set_plan};
use crate::command::Command;
use crate::factory::Options;
use crate::id::{FunctionId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::random::Random;
use crate::shares::{MAX_TARGETS, Shares, Target};
use crate::strategy::Strategy;

/// Equal parts for this node and for every peer that has the function and is near: whose round-trip time is known and
/// below [`Options::latency_threshold`].
///
/// Of more peers than a plan holds, the nearest are used. Without a near one everything stays.
#[derive(Debug)]
pub struct LatencyThreshold {
    threshold: Duration,
    lifetime: Duration,
}

impl LatencyThreshold {
    /// Peers below `options.latency_threshold` are near.
    pub fn new(options: &Options) -> Self {
        Self { threshold: options.latency_threshold, lifetime: options.lifetime() }
    }

    fn shares(&self, id: FunctionId, function: &FunctionMeasurements, measured: &Measurements) -> Shares {
        let mut near: Vec<_> = candidates(id, function, measured)
            .filter_map(|(node, peer)| Some((peer.rtt.filter(|rtt| *rtt < self.threshold)?, node)))
            .collect();
        near.sort_unstable();
        near.truncate(MAX_TARGETS - 1);
        let here = (function.here || near.is_empty()).then_some(Target::Local);
        let targets = here.into_iter().chain(near.into_iter().map(|(_, node)| Target::Peer(node)));
        let weights: Vec<(Target, f64)> = targets.map(|target| (target, 1.0)).collect();
        Shares::proportional(&weights).unwrap_or_else(|_| Shares::all(Target::Local))
    }
}

impl Strategy for LatencyThreshold {
    fn name(&self) -> &'static str {
        "latency-threshold"
    }

    fn on_tick(&mut self, _now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Command> {
        set_plan(measured, self.lifetime, |id, function| self.shares(id, function, measured))
    }
}
