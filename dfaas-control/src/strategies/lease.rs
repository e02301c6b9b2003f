mod admission;
mod asks;
mod demand;
mod grants;
mod headroom;
mod heard;
mod leases;
mod level;
mod life;
mod measuring;
mod near;
mod offload;
mod plans;
mod said;
mod standing;
mod talking;
mod trust;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::{Command, Message};
use crate::estimate::Limiter;
use crate::factory::Options;
use crate::id::{NodeId, Time};
use crate::measurements::Measurements;
use crate::plan::Plan;
use crate::random::Random;
use crate::strategy::{Leases, Strategy};
use asks::Want;
use demand::Demand;
use grants::Ledger;
use headroom::{Role, Sides};
use heard::Heard;
use life::Life;
use near::Near;
use offload::Offload;
use said::Said;
use standing::Standing;
use trust::Trust;

/// Nodes grant each other capacity as leases; bursts overflow in the data plane.
///
/// Each node counts in its own processors: what its own users ask for, the demand, against the level up to which it
/// works. Above that it is a *sender* and asks its neighbours for what it has too much; below it gives what it has free
/// to those that ask, divided fairly, and never more than there is. That demand is of own users only, and so is what
/// neighbours are told: nothing that is decided here changes it, and the loop cannot swing.
///
/// A word is the whole of what a node says to a peer: at each tick, and between ticks at once if an ask, a grant or a
/// role changes notably. Demand and role are those of the last tick, and between ticks headroom only grows, with the level.
/// So a word causes answers and plans, and answers cause plans only. The first word of a peer is always answered once; one
/// that says notably nothing new is only kept for the next tick.
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
    /// Peers may be still to be told of what has changed since the last tick.
    unsaid: bool,
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
            unsaid: false,
            plan: None,
        }
    }

    fn set(&mut self, plan: Plan) -> Command {
        self.plan = Some(plan.clone());
        Command::SetPlan(plan)
    }

    /// Overflow knows another wait of a peer: much cheaper than a plan, and most words bring nothing else.
    fn waits_anew(&mut self, peer: NodeId) -> Option<Command> {
        let wait = self.wait_at(peer, self.heard.word(peer)?);
        *self.plan.as_mut()?.waits.get_mut(&peer)? = wait;
        Some(Command::SetWait(peer, wait))
    }
}

impl Strategy for Lease {
    fn name(&self) -> &'static str {
        "lease"
    }

    fn leases(&self) -> BTreeMap<NodeId, Leases> {
        let leases = |node: &NodeId| Leases {
            granted: self.ledger.said(*node),
            held: self.heard.word(*node).map_or(0.0, |word| word.grant),
        };
        self.measured.peers.keys().map(|node| (*node, leases(node))).collect()
    }

    fn drain(&mut self, drained: bool) {
        self.life.draining = drained;
    }

    fn unmet(&self) -> Option<BTreeMap<NodeId, f64>> {
        Lease::unmet(self)
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
            self.unsaid = grants.len() < self.measured.peers.len();
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
        if self.heard.may_be_old(now, self.lifetime) {
            self.heard.forget(now, self.lifetime, &self.measured.peers);
            self.divide();
        }
        let news = self.heard.take(now, from, said, &self.measured.functions);
        if !self.demand.known() {
            return Vec::new();
        }
        let raised = news.load && self.raise_level();
        self.unsaid |= raised || news.role;
        if news.role {
            self.asks = asks::asks(&self.wants, &self.neighbours());
        }
        if news.role || news.lease {
            self.divide();
        }
        let told = self.answers(now, from, news);
        told.iter().for_each(|(node, grant)| self.ledger.told(*node, *grant));
        let mut commands = Vec::new();
        if raised || news.role || news.lease || !told.is_empty() {
            let plan = self.planned();
            if self.plan.as_ref().is_none_or(|old| plans::differ(old, &plan)) {
                commands.push(self.set(plan));
            }
        }
        if commands.is_empty() && news.wait {
            commands.extend(self.waits_anew(from));
        }
        commands
            .extend(told.into_iter().map(|(node, grant)| self.tell(now, node, grant)).collect::<Vec<_>>());
        commands
    }
}
