//! What a node counts between two ticks, as the agent reads it from the kernel.

use std::time::Duration;

use dfaas_control::{FunctionMeasurements, PeerMeasurements};

use crate::federation::Nanos;

/// A sum of times and how many there were.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    sum: Nanos,
    count: u32,
}

impl Times {
    pub(super) fn add(&mut self, time: Nanos) {
        self.sum += time;
        self.count += 1;
    }

    fn mean(self) -> Option<Duration> {
        let mean = self.sum.checked_div(u64::from(self.count))?;
        Some(Duration::from_nanos(mean))
    }
}

/// Of one function.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfFunction {
    pub of_users: u32,
    pub of_peers: u32,
    pub rejected: u32,
    /// Processor time of those that ended.
    pub cpu: Times,
    /// Time to the first byte of the own gateway's answers.
    pub first_byte: Times,
}

/// Of one neighbour.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OfPeer {
    /// Invocations that were bound to it, those that it refused among them.
    pub sent: u32,
    pub refused: u32,
    /// Of those taken, the ones that ended without an answer.
    pub reset: u32,
    /// Connections taken from it.
    pub taken: u32,
    pub first_byte: Times,
}

impl OfFunction {
    /// Writes what was counted in so many seconds, and begins anew.
    pub(super) fn read(&mut self, seconds: f64, inflight: u32, cpu: bool, out: &mut FunctionMeasurements) {
        let counted = std::mem::take(self);
        let rate = |count: u32| if seconds > 0.0 { f64::from(count) / seconds } else { 0.0 };
        out.user_rate = rate(counted.of_users);
        out.peer_rate = rate(counted.of_peers);
        out.reject_rate = rate(counted.rejected);
        out.inflight = u64::from(inflight);
        out.first_byte = counted.first_byte.mean();
        out.cpu_time = if cpu { counted.cpu.mean() } else { None };
    }
}

impl OfPeer {
    /// Writes what was counted in so many seconds, and begins anew.
    pub(super) fn read(&mut self, seconds: f64, out: &mut PeerMeasurements) {
        let counted = std::mem::take(self);
        let rate = |count: u32| if seconds > 0.0 { f64::from(count) / seconds } else { 0.0 };
        out.sent_rate = rate(counted.sent);
        out.refusal_rate = rate(counted.refused);
        out.reset_rate = rate(counted.reset);
        out.taken_rate = rate(counted.taken);
        out.first_byte = counted.first_byte.mean();
    }
}
