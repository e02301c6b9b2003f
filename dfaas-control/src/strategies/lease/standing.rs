use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::admission::admission;
use super::demand::Load;
use super::heard::Word;
use super::plans::{Scene, Taker};
use super::{Lease, plans};
use crate::command::{LeaseWord, lease_flag};
use crate::id::{FunctionId, NodeId};
use crate::plan::{FunctionPlan, Plan, Wait};

/// Costs told in one word, at most.
const MOST_COSTS: usize = 64;

/// Peers that are trusted less get no overflow.
const TRUSTED: f64 = 0.2;

/// A node whose users, after all that peers take of it, still ask for more than this part of what it can do has more than
/// it can do: the highest level, at which queues grow without end.
const SATURATED: f64 = 0.97;

/// The least processors of a node that a wait is computed with.
const LEAST: f64 = 0.01;

/// What a node found of itself at its last tick. Processors.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    pub capacity: f64,
    pub demand: f64,
    pub level: f64,
    pub headroom: f64,
    /// Work of invocations under way here (processor-seconds).
    pub under_way: f64,
    /// What peers used.
    pub of_peers: f64,
    /// The shortest deadline (s) of what users ask for here, own ones or those of peers; infinite: of nothing.
    pub shortest: f64,
    pub sender: bool,
    pub draining: bool,
    pub cold: bool,
    /// Whether there is so much to do that waiting is likely.
    pub busy: bool,
    pub ticks: u64,
}

impl Standing {
    /// The part of the capacity that own users and peers ask for.
    pub(super) fn used(&self) -> f64 {
        if self.capacity > 0.0 { (self.demand + self.of_peers) / self.capacity } else { 0.0 }
    }

    /// So much of the demand is done elsewhere. The node is busy from the first part of its capacity on, and until less
    /// than the second is used.
    pub(super) fn relieve(&mut self, relief: f64, (begins, ends): (f64, f64)) {
        let here = (self.demand - relief).max(0.0) + self.of_peers;
        let from = if self.busy { ends } else { begins };
        self.busy = here > 0.0 && here >= from * self.capacity;
    }

    /// How long an invocation that comes now waits.
    pub(super) fn wait(&self) -> Duration {
        let seconds = self.under_way / self.capacity.max(LEAST);
        Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, 3600.0) } else { 0.0 })
    }

    /// What is said to everybody, `granted` having been granted to all together.
    pub(super) fn word(&self, granted: f64) -> LeaseWord {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        LeaseWord {
            capacity: self.capacity as f32,
            demand: self.demand as f32,
            level: self.level as f32,
            headroom: self.headroom as f32,
            free: (self.headroom - granted).max(0.0) as f32,
            wait: u32::try_from(self.wait().as_micros()).unwrap_or(u32::MAX),
            flags: flag(self.sender, lease_flag::SENDER)
                | flag(self.draining, lease_flag::DRAINING)
                | flag(self.cold, lease_flag::COLD),
            ..LeaseWord::default()
        }
    }
}

/// What functions cost here, for those that ask: of more than fit a word those with the most work.
pub(super) fn costs(loads: &BTreeMap<FunctionId, Load>) -> Vec<(FunctionId, f32)> {
    let serves = |load: &Load| load.here && load.may_leave && load.priced;
    let mut priced: Vec<(&FunctionId, &Load)> = loads.iter().filter(|(_, load)| serves(load)).collect();
    let work = |load: &Load| (load.rate + load.of_peers) * load.cost;
    priced.sort_by(|a, b| work(b.1).total_cmp(&work(a.1)).then(a.0.cmp(b.0)));
    priced.into_iter().take(MOST_COSTS).map(|(id, load)| (*id, load.cost as f32)).collect()
}

/// A plan that is not in force yet.
pub(super) struct Draft {
    pub plan: Plan,
    /// Peers that may take overflow by it, with the way there and back.
    pub takers: Vec<(NodeId, Duration)>,
}

impl Lease {
    /// The plan as things stand. Where nothing has changed that functions' plans are made of, they are those of the plan
    /// in force.
    pub(super) fn planned(&self) -> Draft {
        let takers = self.takers();
        let own = self.standing.demand - self.offload.relief(self.demand.loads());
        let room = (self.standing.capacity - own - self.sides.behind).max(0.0);
        let functions = match &self.plan {
            Some(plan) if !self.moved && self.takers == takers => Arc::clone(&plan.functions),
            _ => Arc::new(self.planned_functions(&takers, own, room)),
        };
        let cores = self.standing.capacity.max(LEAST);
        let here = Wait { wait: Duration::ZERO, cores, report: self.standing.ticks };
        let mut plan = Plan {
            functions,
            admission: BTreeMap::new(),
            here: Some(here),
            waits: self.waits(),
            lifetime: self.lifetime,
        };
        if self.demand.known() {
            self.admit(room, &mut plan);
        }
        Draft { plan, takers }
    }

    /// Their plans, `own` being the work of own users that is done here, and `room` what peers may use.
    fn planned_functions(
        &self,
        takers: &[(NodeId, Duration)],
        own: f64,
        room: f64,
    ) -> BTreeMap<FunctionId, FunctionPlan> {
        let taker = |(node, rtt): &(NodeId, Duration)| {
            let peer = self.measured.peers.get(node).filter(|peer| peer.share > 0.0)?;
            Some(Taker { node: *node, rtt: *rtt, peer })
        };
        let scene = Scene {
            measured: &self.measured,
            loads: self.demand.loads(),
            offload: &self.offload,
            takers: takers.iter().filter_map(taker).collect(),
            busy: self.standing.busy,
            typical_work: self.demand.typical_work(),
            saturated: own > SATURATED * self.standing.capacity,
            room,
            of_peers: self.standing.of_peers,
        };
        let functions = self.measured.functions.iter();
        functions.map(|(id, function)| (*id, scene.plan(*id, function))).collect()
    }

    /// What is taken from each peer; without a limit until this node has counted its users.
    fn admit(&self, room: f64, plan: &mut Plan) {
        let served = || self.demand.loads().values().filter(|load| load.here && load.may_leave);
        let cost = served().map(|load| load.cost).min_by(f64::total_cmp).unwrap_or(1.0);
        let deadlines = self.measured.functions.values().map(|function| function.deadline.as_secs_f64());
        let deadline = deadlines.fold(1.0, f64::max);
        let spare = if self.standing.sender { 0.0 } else { (room - self.ledger.total()).max(0.0) };
        let admit = |node: &NodeId| {
            let granted = self.ledger.said(*node).min(self.standing.headroom);
            (
                *node,
                admission(
                    granted,
                    (spare, room),
                    cost,
                    (deadline, self.standing.shortest),
                    self.standing.draining,
                ),
            )
        };
        plan.admission = self.measured.peers.keys().map(admit).collect();
    }

    /// Peers that may take overflow, the shortest way with its wait first.
    fn takers(&self) -> Vec<(NodeId, Duration)> {
        let gives = self.heard.words().filter(|(node, word)| word.gives() && self.trust.of(*node) >= TRUSTED);
        let mut takers: Vec<(Duration, NodeId, Duration)> = gives
            .map(|(node, word)| {
                let rtt = self.near.rtt(node);
                (rtt + word.wait, node, rtt)
            })
            .collect();
        takers.sort_unstable();
        if takers.len() > plans::MOST_CANDIDATES {
            return takers.into_iter().map(|(_, node, rtt)| (node, rtt)).collect();
        }
        // As many as fit anyway: in an order that does not change with every wait.
        takers.sort_unstable_by_key(|(_, node, _)| *node);
        takers.into_iter().map(|(_, node, rtt)| (node, rtt)).collect()
    }

    fn waits(&self) -> BTreeMap<NodeId, Wait> {
        self.heard.words().map(|(node, word)| (node, self.wait_at(node, word))).collect()
    }

    /// How long invocations wait at a peer that said this.
    pub(super) fn wait_at(&self, node: NodeId, word: &Word) -> Wait {
        let wait = word.wait + self.near.rtt(node);
        Wait { wait, cores: word.capacity.max(LEAST), report: word.report }
    }
}
