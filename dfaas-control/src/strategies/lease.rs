mod admission;
mod asks;
mod demand;
mod grants;
mod headroom;
mod heard;
mod level;
mod life;
mod near;
mod offload;
mod plans;
mod said;
mod standing;
mod trust;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::{Command, LeaseWord, Message};
use crate::estimate::{Limiter, periods};
use crate::factory::Options;
use crate::id::{FunctionId, NodeId, Time};
use crate::measurements::Measurements;
use crate::plan::Plan;
use crate::random::Random;
use crate::strategy::Strategy;
use asks::{Neighbour, Want};
use demand::Demand;
use grants::{Claim, Ledger};
use headroom::{Role, Sides};
use heard::{Heard, News, Word};
use level::{Load, water_level};
use life::Life;
use near::Near;
use offload::{Holding, Offload};
use said::Said;
use standing::Standing;
use trust::Trust;

/// Processors of a node of which nobody knows how many it has.
const CORES: f64 = 1.0;

/// What is done here keeps the processors busy from the first part of them on, until it is below the other.
const BUSY: (f64, f64) = (0.5, 0.4);

/// Nodes grant each other capacity as leases; bursts overflow in the data plane.
///
/// Each node counts in its own processors: what its own users ask for, the demand, against the level up to which it
/// works. Above that it is a *sender* and asks its neighbours for what it has too much; below it gives what it has free
/// to those that ask, divided fairly, and never more than there is. That demand is of own users only, and so is what
/// neighbours are told: nothing that is decided here changes it, and the loop cannot swing.
///
/// A word is the whole of what a node says to a peer: at each tick, and between ticks at once if an ask, a grant or a
/// role changes notably. Demand and role are those of the last tick, and between ticks headroom only grows, with the level.
/// So a word causes answers and plans, and answers cause plans only. The first word of a peer is always answered once.
///
/// A plan is set before messages are sent: admission is open before a grant is used, and closed before a cut is told. A
/// grant to one peer is raised between ticks only by what nobody else holds; others are cut at ticks, when all are told.
/// A lease ends after three and a half periods without a word.
///
/// The second time scale is the data plane's: plans name peers that may take what waits here too long or exceeds local
/// limits, with the waits they told. Peers admit it as far as they have processors that nobody uses.
///
/// A node says nothing until it has counted its users for half a period.
#[derive(Debug)]
pub struct Lease {
    period: Duration,
    lifetime: Duration,
    measured: Measurements,
    demand: Demand,
    limiter: Limiter,
    role: Role,
    /// What the last balance was struck of.
    sides: Sides,
    life: Life,
    near: Near,
    trust: Trust,
    heard: Heard,
    ledger: Ledger,
    said: Said,
    /// This node as of its last tick.
    standing: Standing,
    wants: Vec<Want>,
    asks: BTreeMap<NodeId, f64>,
    offload: Offload,
    plan: Option<Plan>,
}

impl Lease {
    /// A node that knows nobody yet.
    pub fn new(options: &Options) -> Self {
        Self {
            period: options.period,
            lifetime: options.lifetime(),
            measured: Measurements::default(),
            demand: Demand::default(),
            limiter: Limiter::default(),
            role: Role::default(),
            sides: Sides::default(),
            life: Life::default(),
            near: Near::default(),
            trust: Trust::default(),
            heard: Heard::default(),
            ledger: Ledger::default(),
            said: Said::default(),
            standing: Standing::default(),
            wants: Vec::new(),
            asks: BTreeMap::new(),
            offload: Offload::default(),
            plan: None,
        }
    }

    /// Takes a tick's measurements, and strikes the balance.
    fn measure(&mut self, now: Time, measured: &Measurements) {
        self.measured = measured.clone();
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
        self.sides = Sides {
            capacity,
            level,
            demand,
            stock: self.demand.safety_stock(self.period),
            warmth,
            closed: self.life.draining || !self.demand.known(),
        };
        let balance = self.role.balance(&self.sides);
        let inflight = self.measured.functions.iter().filter_map(|(id, function)| {
            Some(function.inflight as f64 * self.demand.loads().get(id).filter(|load| load.here)?.cost)
        });
        self.standing = Standing {
            capacity,
            demand,
            level,
            headroom: balance.headroom,
            under_way: inflight.sum(),
            of_peers: self.demand.of_peers(),
            sender: self.role.is_sender(),
            draining: self.life.draining,
            cold: warmth < 1.0,
            busy: self.standing.busy,
            ticks: self.standing.ticks + 1,
        };
        self.wants = offload::wants(self.demand.loads(), balance.excess);
    }

    /// A neighbour that tells of more work raises the level, and with it what this node gives, before the next tick. What
    /// lowers it waits for that, since then all can be told of their cuts.
    fn raise_level(&mut self) {
        let own = Load { capacity: self.sides.capacity, demand: self.sides.demand };
        let level = water_level(own, self.heard.words().map(|(_, word)| word.load()));
        if level > self.sides.level {
            self.sides.level = level;
            self.standing.level = level;
            self.standing.headroom = self.role.headroom(&self.sides);
        }
    }

    /// The peers that can be asked for something now, the nearest first.
    fn neighbours(&self) -> Vec<Neighbour> {
        let mut near: Vec<(f64, Neighbour)> = Vec::new();
        for (node, word) in self.heard.words().filter(|(_, word)| word.gives()) {
            let available = (word.free + word.grant).min(word.headroom);
            let (trust, costs) = (self.trust.of(node), self.costs_at(node, word));
            near.push((
                self.near.cost(node, word),
                Neighbour { node, available, headroom: word.headroom, trust, costs },
            ));
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.node.cmp(&b.1.node)));
        near.into_iter().map(|(_, neighbour)| neighbour).collect()
    }

    /// What functions that want to leave cost at a peer, of those that it serves.
    fn costs_at(&self, node: NodeId, word: &Word) -> BTreeMap<FunctionId, f64> {
        let Some(peer) = self.measured.peers.get(&node).filter(|peer| peer.share > 0.0) else {
            return BTreeMap::new();
        };
        let loads = self
            .wants
            .iter()
            .filter_map(|want| Some((want.function, self.demand.loads().get(&want.function)?)));
        loads
            .filter(|(id, load)| peer.serves(*id, load.here))
            .map(|(id, load)| (id, word.cost(id, load.cost)))
            .collect()
    }

    /// Divides what wants to leave among the leases held. A grant counts for no more than was asked for: a larger one is
    /// no reason to send more.
    fn divide(&mut self) {
        let holdings: Vec<Holding> = self
            .heard
            .words()
            .filter(|(_, word)| word.gives() && word.grant > 0.0)
            .map(|(node, word)| {
                let asked = self.asks.get(&node).copied().unwrap_or(0.0);
                let grant = word.grant.min(asked) * self.trust.of(node);
                Holding { node, grant, costs: self.costs_at(node, word) }
            })
            .collect();
        self.offload = Offload::divide(&self.wants, &holdings);
        self.standing.relieve(self.offload.relief(self.demand.loads()), BUSY);
    }

    /// What each peer asks of this node.
    fn claims(&self) -> BTreeMap<NodeId, Claim> {
        let claim = |(node, peer): (&NodeId, &crate::measurements::PeerMeasurements)| {
            let ask = self.heard.word(*node).map_or(0.0, |word| word.ask);
            let weight = if peer.share.is_finite() { peer.share.clamp(0.0, 1e3) } else { 0.0 };
            (*node, Claim { weight, ask })
        };
        self.measured.peers.iter().map(claim).collect()
    }

    /// What peers used of this node in the last period; `None` where that cannot be told, as of a peer whose invocations
    /// come on connections that it keeps.
    fn used(&self, node: NodeId) -> Option<f64> {
        let taken = |rate: f64| if rate.is_finite() { rate.max(0.0) } else { 0.0 };
        let connections: f64 = self.measured.peers.values().map(|peer| taken(peer.taken_rate)).sum();
        let invocations: f64 = self.demand.loads().values().map(|load| load.of_peers).sum();
        if invocations > 2.0 * connections {
            return None;
        }
        let own = self.measured.peers.get(&node).map_or(0.0, |peer| taken(peer.taken_rate));
        Some(if connections > 0.0 { self.standing.of_peers * (own / connections) } else { 0.0 })
    }

    /// What this node says to a peer.
    fn word(&self, node: NodeId, grant: f32) -> LeaseWord {
        let ask = self.asks.get(&node).map_or(0.0, |ask| *ask as f32);
        let asks = self.heard.word(node).is_some_and(|word| word.ask > 0.0);
        let costs = if asks { standing::costs(self.demand.loads()) } else { Vec::new() };
        let granted = self.ledger.total() - self.ledger.said(node) + f64::from(grant);
        LeaseWord { ask, grant, costs, ..self.standing.word(granted) }
    }

    fn tell(&mut self, now: Time, node: NodeId, grant: f32) -> Command {
        self.ledger.told(node, grant);
        let word = self.word(node, grant);
        self.said.note(now, node, word.clone());
        Command::Send(node, Message::Lease(word))
    }

    fn set(&mut self, plan: Plan) -> Command {
        self.plan = Some(plan.clone());
        Command::SetPlan(plan)
    }
}

impl Strategy for Lease {
    fn name(&self) -> &'static str {
        "lease"
    }

    fn drain(&mut self, drained: bool) {
        self.life.draining = drained;
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Command> {
        self.measure(now, measured);
        self.asks = asks::asks(&self.wants, &self.neighbours());
        self.divide();
        let used: BTreeMap<NodeId, f64> =
            self.measured.peers.keys().filter_map(|node| Some((*node, self.used(*node)?))).collect();
        self.ledger.tick(self.standing.headroom, |node| used.get(&node).copied());
        let mut grants = BTreeMap::new();
        if self.demand.known() {
            let mut claims = self.claims();
            claims.retain(|node, _| self.said.may(now, *node));
            grants = self.ledger.propose(self.standing.headroom, &claims);
            grants.iter().for_each(|(node, grant)| self.ledger.told(*node, *grant));
        }
        let plan = self.planned();
        let mut commands = vec![self.set(plan)];
        commands
            .extend(grants.into_iter().map(|(node, grant)| self.tell(now, node, grant)).collect::<Vec<_>>());
        commands
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Vec<Command> {
        let Message::Lease(said) = message else { return Vec::new() };
        if !self.measured.peers.contains_key(&from) {
            return Vec::new();
        }
        self.heard.forget(now, self.lifetime, &self.measured.peers);
        let news = self.heard.take(now, from, said, &self.measured.functions);
        if !self.demand.known() {
            return Vec::new();
        }
        self.raise_level();
        if news.role {
            self.asks = asks::asks(&self.wants, &self.neighbours());
        }
        self.divide();
        let told = self.answers(now, from, news);
        told.iter().for_each(|(node, grant)| self.ledger.told(*node, *grant));
        let plan = self.planned();
        let mut commands = Vec::new();
        if self.plan.as_ref().is_none_or(|old| plans::differ(old, &plan)) {
            commands.push(self.set(plan));
        }
        commands
            .extend(told.into_iter().map(|(node, grant)| self.tell(now, node, grant)).collect::<Vec<_>>());
        commands
    }
}

impl Lease {
    /// Who is told something between ticks, after a word of `from`, and what it is granted then.
    fn answers(&self, now: Time, from: NodeId, news: News) -> Vec<(NodeId, f32)> {
        let claims = self.claims();
        // Where a cut could not be told at its tick, every word that goes out tells it.
        let cut = self.ledger.total() > self.standing.headroom;
        let grant = |node: NodeId| {
            let proposed = || self.ledger.propose_one(self.standing.headroom, &claims, node);
            // What it was told, which a number of a message holds exactly.
            let said = self.ledger.said(node) as f32;
            if node == from {
                proposed()
            } else if cut {
                said.min(proposed())
            } else {
                said
            }
        };
        let peers = self.measured.peers.keys().copied().filter(|node| self.said.may(now, *node));
        let granted = peers.map(|node| (node, grant(node)));
        granted
            .filter(|(node, grant)| {
                (news.first && *node == from) || self.said.is_news(*node, &self.word(*node, *grant))
            })
            .collect()
    }
}
