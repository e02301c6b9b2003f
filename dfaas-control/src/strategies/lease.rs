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
mod pending;
mod plans;
mod prices;
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
use heard::{Heard, News};
use life::Life;
use near::Near;
use offload::Offload;
use pending::Pending;
use prices::PriceList;
use said::Said;
use standing::{Draft, Standing};
use trust::Trust;

/// Nodes grant each other capacity as leases; bursts overflow in the data plane.
///
/// Each node counts in its own processors: what its own users ask for, the demand, against the level up to which it
/// works. Above that it is a *sender* and asks its neighbours for what it has too much; below it gives what it has free
/// to those that ask, divided fairly, and never more than there is. That demand is of own users only, and so is what
/// neighbours are told: nothing that is decided here changes it, and the loop cannot swing.
///
/// A word is the whole of what a node says to a peer: at each tick, and between ticks soon if an ask, a grant or a role
/// changes notably. What follows from words is worked out for several of them together, 20 ms after the first and at most
/// ten times a second, unless grants are cut; at once where a peer takes nothing any more. Demand and role are those of the last tick, and between ticks headroom only grows, with the level.
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
    /// Of these wants.
    prices: PriceList,
    asks: BTreeMap<NodeId, f64>,
    offload: Offload,
    /// Peers may be still to be told of what has changed since the last tick.
    unsaid: bool,
    pending: Pending,
    plan: Option<Plan>,
    /// Peers that may take overflow by that plan.
    takers: Vec<(NodeId, Duration)>,
    /// Something else that its functions' plans are made of is not as it was.
    moved: bool,
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
            prices: PriceList::new(),
            asks: BTreeMap::new(),
            offload: Offload::default(),
            unsaid: false,
            pending: Pending::default(),
            plan: None,
            takers: Vec::new(),
            moved: true,
        }
    }

    fn set(&mut self, draft: Draft) -> Command {
        (self.plan, self.takers, self.moved) = (Some(draft.plan.clone()), draft.takers, false);
        Command::SetPlan(draft.plan)
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
        self.pending.clear();
        self.measure(now, measured);
        self.ask();
        self.divide();
        let used = self.used();
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
        self.tell(now, grants, &mut commands);
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
        if news.first || !said.costs.is_empty() {
            self.prices.remove(&from);
        }
        if !self.demand.known() {
            return Vec::new();
        }
        if news.matters() || self.unsaid {
            self.pending.add(now, from, news);
        }
        let mut commands = Vec::new();
        if self.pending.due().is_some_and(|due| due <= now) {
            commands = self.on_due(now);
        }
        if news.wait && !matches!(commands.first(), Some(Command::SetPlan(_))) {
            let wait = self.waits_anew(from);
            commands.splice(0..0, wait);
        }
        commands
    }

    fn due(&self) -> Option<Time> {
        self.pending.due()
    }

    fn on_due(&mut self, now: Time) -> Vec<Command> {
        let news = self.pending.take(now);
        if news.is_empty() {
            return Vec::new();
        }
        let all = news.values().fold(News::default(), |all, news| all.and(*news));
        let raised = all.load && self.raise_level();
        self.unsaid |= raised || all.role;
        if all.role {
            self.ask();
        }
        if all.role || all.lease {
            self.divide();
        }
        let told = self.answers(now, &news);
        let mut commands = Vec::new();
        if raised || all.role || all.lease || !told.is_empty() {
            let plan = self.planned();
            if self.plan.as_ref().is_none_or(|old| plans::differ(old, &plan.plan)) {
                commands.push(self.set(plan));
            }
        }
        self.tell(now, told, &mut commands);
        commands
    }
}
