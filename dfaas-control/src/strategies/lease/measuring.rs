//! What a node finds of itself at a tick.

use std::collections::BTreeMap;

use super::Lease;
use super::headroom::{Sides, behind};
use super::level::{Load, water_level};
use super::offload;
use super::standing::Standing;
use crate::estimate::periods;
use crate::id::{NodeId, Time};
use crate::measurements::Measurements;

/// A level that is higher by less than this can wait for the next tick: most words tell of a little more or less.
const TRIFLE: f64 = 0.01;

/// Processors of a node of which nobody knows how many it has.
const CORES: f64 = 1.0;

impl Lease {
    /// Takes a tick's measurements, and strikes the balance.
    pub(super) fn measure(&mut self, now: Time, measured: &Measurements) {
        self.measured.update(measured);
        let peers = &self.measured.peers;
        self.heard.forget(now, self.lifetime, peers);
        self.ledger.retain(|node| peers.contains_key(node));
        self.said.retain(|node| peers.contains_key(node));
        self.near.update(peers);
        let functions = || self.measured.functions.values();
        let answers = functions().any(|function| function.first_byte.is_some())
            || peers.values().any(|peer| peer.first_byte.is_some());
        let patience = functions().map(|function| function.deadline).max().unwrap_or_default();
        self.trust.judge(now, peers, &self.offload.by_peer(), answers, patience.max(2 * self.period));

        let cores = measured.node.cores.filter(|cores| cores.is_finite() && *cores > 0.0).unwrap_or(CORES);
        let part = periods(self.demand.passed(now), self.period, 1.0);
        let used = self.standing.used();
        let kappa = self.limiter.update(part, self.demand.stretch(), used);
        let capacity = kappa * cores;
        self.demand.update(now, self.period, &self.measured, capacity, |id| self.heard.hint(id));
        let demand = self.demand.total();
        let neighbours = self.heard.words().map(|(_, word)| word.load());
        let level = water_level(Load { capacity, demand }, neighbours);
        let own = || self.demand.loads().values().filter(|load| load.here);
        let vouched = own().next().is_some() && own().all(|load| load.most.is_some());
        let warmth = self.life.warmth(now, vouched);
        let inflight = self.measured.functions.iter().filter_map(|(id, function)| {
            Some(function.inflight as f64 * self.demand.loads().get(id).filter(|load| load.here)?.cost)
        });
        let under_way = inflight.sum();
        let (typical, shortest) = (self.demand.typical_work(), self.shortest());
        self.sides = Sides {
            capacity,
            level,
            demand,
            stock: self.demand.safety_stock(self.period),
            behind: behind(under_way, capacity, typical, shortest),
            warmth,
            closed: self.life.draining || !self.demand.known(),
        };
        let balance = self.role.balance(&self.sides);
        self.standing = Standing {
            capacity,
            demand,
            level,
            headroom: balance.headroom,
            under_way,
            of_peers: self.demand.of_peers(),
            shortest,
            sender: self.role.is_sender(),
            draining: self.life.draining,
            cold: warmth < 1.0,
            busy: self.standing.busy,
            ticks: self.standing.ticks + 1,
        };
        self.wants = offload::wants(self.demand.loads(), balance.excess);
        self.prices.clear();
        self.moved = true;
    }

    /// The shortest deadline (s) of what users ask for here, own ones or those of peers; infinite: of nothing.
    fn shortest(&self) -> f64 {
        let asked =
            |id| self.demand.loads().get(id).is_some_and(|load| load.here && load.rate + load.of_peers > 0.0);
        let deadlines = self.measured.functions.iter().filter(|(id, _)| asked(id));
        deadlines.map(|(_, function)| function.deadline.as_secs_f64()).fold(f64::INFINITY, f64::min)
    }

    /// A neighbour that tells of more work raises the level, and with it what this node gives, before the next tick. What
    /// lowers it waits for that, since then all can be told of their cuts. Whether it rose.
    pub(super) fn raise_level(&mut self) -> bool {
        let own = Load { capacity: self.sides.capacity, demand: self.sides.demand };
        let level = water_level(own, self.heard.words().map(|(_, word)| word.load()));
        let raised = level > self.sides.level + TRIFLE;
        if raised {
            self.sides.level = level;
            self.standing.level = level;
            self.standing.headroom = self.role.headroom(&self.sides);
        }
        raised
    }

    /// What each peer used of this node in the last period; nothing where that cannot be told, as of peers whose invocations
    /// come on connections that they keep.
    pub(super) fn used(&self) -> BTreeMap<NodeId, f64> {
        let taken = |rate: f64| if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        let connections: f64 = self.measured.peers.values().map(|peer| taken(peer.taken_rate)).sum();
        let invocations: f64 = self.demand.loads().values().map(|load| load.of_peers).sum();
        if invocations > 2.0 * connections {
            return BTreeMap::new();
        }
        let used =
            |own: f64| if connections > 0.0 { self.standing.of_peers * (own / connections) } else { 0.0 };
        self.measured.peers.iter().map(|(node, peer)| (*node, used(taken(peer.taken_rate)))).collect()
    }
}
