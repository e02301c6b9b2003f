//! A node's data plane: what the kernel programs keep in maps.

use dfaas_common::bucket::{TOLERANCE, admit_within, carried};
use dfaas_common::choice::{Limits, NO_WAY, Taken, World, expected_wait, wait_here, waits_too_long};
use dfaas_common::config::{Load, Peer, Report};
use dfaas_common::count::LOCAL;
use dfaas_common::plan::{FunctionState, Plan};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;

use super::request::Leg;
use crate::federation::Nanos;

/// The maps. Backend 0 is the own gateway, the others are neighbours in their order.
#[derive(Debug)]
pub(super) struct Kernel {
    backends: usize,
    pub functions: Vec<FunctionState>,
    /// Requests bound to the own gateway, by function.
    pub inflight: Vec<u32>,
    pub reports: Vec<Report>,
    pub loads: Vec<Load>,
    /// What is taken from peers, and whether they can be sent to.
    pub peers: Vec<Peer>,
    /// Theoretical arrival times ([`dfaas_common::bucket`]): of what is taken from each peer, and of what each function
    /// may send to each.
    admissions: Vec<u64>,
    rates: Vec<u64>,
    /// Connections of each peer.
    bound: Vec<u32>,
    /// Requests that a peer was drawn for to relieve this node.
    pub overflowed: u64,
}

/// Takes one from a bucket; `interval` 0 is no limit.
fn take(arrival: &mut u64, now: Nanos, interval: u64, tolerance: u64) -> bool {
    if interval == 0 {
        return true;
    }
    let before = carried(*arrival, now, interval, tolerance);
    let next = admit_within(before, now, interval, tolerance);
    next.map(|next| *arrival = next).is_some()
}

impl Kernel {
    pub(super) fn new(functions: usize, neighbours: usize) -> Self {
        let backends = neighbours + 1;
        Self {
            backends,
            functions: vec![FunctionState::default(); functions],
            inflight: vec![0; functions],
            reports: vec![Report::default(); backends],
            loads: vec![Load::default(); backends],
            peers: vec![Peer::default(); backends],
            admissions: vec![0; backends],
            rates: vec![0; functions * backends],
            bound: vec![0; backends],
            overflowed: 0,
        }
    }

    /// Whether one more connection of this peer is taken; it then counts. Who is no peer now is a stranger at the data port
    /// and gets a reset.
    pub(super) fn admit(&mut self, peer: usize, now: Nanos) -> bool {
        let limits = &self.peers[peer];
        let full = limits.inflight != 0 && self.bound[peer] >= limits.inflight;
        if limits.usable == 0 || full || self.too_long(limits.wait) {
            return false;
        }
        let admitted = take(&mut self.admissions[peer], now, limits.interval, limits.tolerance);
        self.bound[peer] += u32::from(admitted);
        admitted
    }

    /// Whether a request is expected to wait at the own gateway for longer than this (us); 0: no wait is too long.
    fn too_long(&self, most: u32) -> bool {
        waits_too_long(most, &self.reports[LOCAL as usize], &self.loads[LOCAL as usize])
    }

    /// A connection of a peer is over.
    pub(super) fn leave(&mut self, peer: usize) {
        self.bound[peer] -= 1;
    }

    /// Counts a request for a backend; not, if as many as `limit` are at the own gateway.
    pub(super) fn bind(
        &mut self,
        leg: &mut Leg,
        function: usize,
        backend: u32,
        limit: u32,
        work: u32,
    ) -> bool {
        if backend == LOCAL {
            if limit != 0 && self.inflight[function] >= limit {
                return false;
            }
            self.inflight[function] += 1;
        }
        *leg = Leg { tried: leg.tried, work, backend: backend as u16, bound: true };
        let load = &mut self.loads[backend as usize];
        load.sent += u64::from(work);
        load.under_way += u64::from(work);
        true
    }

    /// A request leaves the gauges that it is in.
    pub(super) fn release(&mut self, leg: &mut Leg, function: usize) {
        if !std::mem::take(&mut leg.bound) {
            return;
        }
        let backend = usize::from(leg.backend);
        self.loads[backend].under_way -= u64::from(leg.work);
        if backend == LOCAL as usize {
            self.inflight[function] -= 1;
        }
    }

    /// What gauges count that must be empty when nothing is under way.
    pub(super) fn left_over(&self) -> Option<String> {
        let inflight: u32 = self.inflight.iter().sum();
        let bound: u32 = self.bound.iter().sum();
        let work: u64 = self.loads.iter().map(|load| load.under_way).sum();
        let some = inflight > 0 || bound > 0 || work > 0;
        some.then(|| {
            format!("{inflight} requests at its gateway, {bound} connections of peers, {work} us of work")
        })
    }

    /// Forgets all connections: the node starts anew.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.functions.len(), self.backends - 1);
    }
}

/// A request for which the kernel chooses.
pub(super) struct Chosen<'a> {
    pub kernel: &'a mut Kernel,
    pub random: &'a mut ChaCha8Rng,
    pub leg: &'a mut Leg,
    pub function: usize,
    /// What its plan expects it to take (us).
    pub work: u32,
    pub now: Nanos,
}

impl World for Chosen<'_> {
    fn tried(&mut self) -> &mut u32 {
        &mut self.leg.tried
    }

    fn random(&mut self) -> u32 {
        self.random.next_u32()
    }

    fn turn(&mut self) -> u64 {
        let draws = &mut self.kernel.functions[self.function].draws;
        *draws += 1;
        *draws - 1
    }

    fn local(&mut self, limits: Limits) -> Taken {
        if self.kernel.too_long(limits.wait)
            || !self.kernel.bind(self.leg, self.function, LOCAL, limits.inflight, self.work)
        {
            return Taken::Limited;
        }
        let arrival = &mut self.kernel.functions[self.function].local_arrival;
        if take(arrival, self.now, limits.interval, TOLERANCE) {
            return Taken::Yes;
        }
        self.release();
        Taken::Limited
    }

    fn peer(&mut self, backend: u32, interval: u64) -> Taken {
        let peer = backend as usize;
        if self.kernel.peers[peer].usable == 0 {
            return Taken::Unreachable;
        }
        let rate = self.function * self.kernel.backends + peer;
        if !take(&mut self.kernel.rates[rate], self.now, interval, TOLERANCE) {
            return Taken::Limited;
        }
        self.kernel.bind(self.leg, self.function, backend, 0, self.work);
        Taken::Yes
    }

    fn wait(&mut self, backend: u32) -> u32 {
        let (report, load) = (&self.kernel.reports[backend as usize], &self.kernel.loads[backend as usize]);
        match backend {
            LOCAL => wait_here(report, load),
            peer if self.kernel.peers[peer as usize].usable != 0 => expected_wait(report, load),
            _ => NO_WAY,
        }
    }

    fn peers_rate(&mut self, interval: u64) -> bool {
        take(&mut self.kernel.functions[self.function].peers_arrival, self.now, interval, TOLERANCE)
    }

    fn open(&mut self) -> bool {
        true
    }

    fn release(&mut self) {
        self.kernel.release(self.leg, self.function);
    }

    fn overflowed(&mut self) {
        self.kernel.overflowed += 1;
    }
}

/// The plan in force.
pub(super) fn in_force(plan: &Plan, now: Nanos) -> Option<&Plan> {
    (plan.expires >= now && plan.count > 0).then_some(plan)
}
