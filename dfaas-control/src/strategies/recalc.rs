mod demand;
mod grants;
mod plans;
mod received;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::{Command, Message, Offer};
use crate::factory::{Options, RecalcSplit};
use crate::id::{NodeId, Time};
use crate::measurements::Measurements;
use crate::plan::Plan;
use crate::random::Random;
use crate::strategy::Strategy;
use demand::Demand;
use received::Received;

/// Rates that differ by less than this part of the larger one are not worth a new plan before the next tick.
const NOTABLE: f64 = 0.01;

/// Nodes grant each other what their own users leave of a function's `max_rate`, after the CloudNet 2021 article.
///
/// A node whose users ask for more than `max_rate` is *overloaded* and grants nothing. The others divide their *margin*,
/// `max_rate` less what their users ask for, evenly: among the peers that reported overload for the function, or all
/// that have it if none did ([`RecalcSplit::Overloaded`]); or always among all ([`RecalcSplit::All`]). It is divided
/// evenly because a message tells who is overloaded and not by how much, and so that nobody starves the others by
/// crying louder. A function serves here up to `max_rate`; the rest goes to peers in proportion to what they granted,
/// and never faster than that.
///
/// Overload ends a tenth below `max_rate`, so that users that ask for just about that much do not make everybody's
/// grants flap. Nothing is granted before half a period of users was counted.
///
/// Functions without a `max_rate` stay here, as do those that must not leave; neither takes part.
///
/// # When
///
/// Every peer is told everything at each tick. Between ticks a message that changes what this node grants is answered
/// at once, and one that changes what was granted to it gives a new plan at once; the original waits half a period
/// for each. This comes to rest: what a node says depends on the overload that others report and not on what they
/// grant, and whether a node is overloaded is decided by its own ticks alone. So a message causes answers, and an
/// answer causes plans only. The one exception is the first word of a peer, which is always answered once: it may
/// have come to know this node only now.
///
/// A plan is set before messages are sent: admission is open before a grant is used, and closed before a cut is told.
/// What a peer sends in excess until it hears of a cut is refused here.
///
/// A node that starts says nothing until it has counted its users for half a period. If it starts again, its peers use
/// meanwhile what its earlier run granted, and are admitted without a limit of its own.
///
/// What a peer said is forgotten when it leaves the measurements and after three and a half periods.
#[derive(Debug)]
pub struct Recalc {
    split: RecalcSplit,
    period: Duration,
    lifetime: Duration,
    measured: Measurements,
    demand: Demand,
    received: Received,
    /// What each peer was told last.
    said: BTreeMap<NodeId, Vec<Offer>>,
    plan: Option<Plan>,
}

impl Recalc {
    /// A node that knows nobody yet.
    pub fn new(options: &Options) -> Self {
        Self {
            split: options.recalc_split,
            period: options.period,
            lifetime: options.lifetime(),
            measured: Measurements::default(),
            demand: Demand::default(),
            received: Received::default(),
            said: BTreeMap::new(),
            plan: None,
        }
    }

    /// What is to be said to each peer as things stand.
    fn offers(&self) -> BTreeMap<NodeId, Vec<Offer>> {
        if !self.demand.known() {
            return BTreeMap::new();
        }
        grants::offers(self.split, &self.measured, &self.demand, &self.received)
    }

    /// The plan as things stand.
    fn planned(&self) -> Plan {
        let functions = self.measured.functions.iter().map(|(id, function)| {
            let excess = self.demand.excess(*id);
            (*id, plans::plan(*id, function, excess, &self.measured, &self.received))
        });
        let admission = self.said.iter().map(|(node, offers)| (*node, grants::admission(offers)));
        Plan { admission: admission.collect(), ..Plan::new(functions.collect(), self.lifetime) }
    }

    fn set(&mut self, plan: Plan) -> Command {
        self.plan = Some(plan.clone());
        Command::SetPlan(plan)
    }
}

impl Strategy for Recalc {
    fn name(&self) -> &'static str {
        "recalc"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Command> {
        self.measured = measured.clone();
        self.demand.update(now, measured, self.period);
        self.received.forget(now, self.lifetime, &measured.peers);
        self.said = self.offers();
        let plan = self.planned();
        let mut commands = vec![self.set(plan)];
        commands.extend(
            self.said.iter().map(|(node, offers)| Command::Send(*node, Message::Recalc(offers.clone()))),
        );
        commands
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Vec<Command> {
        let Message::Recalc(offers) = message else { return Vec::new() };
        if !self.measured.peers.contains_key(&from) {
            return Vec::new();
        }
        self.received.forget(now, self.lifetime, &self.measured.peers);
        let met = self.received.take(now, from, offers, &self.measured.functions);

        let mut news = self.offers();
        // Every difference is told. Between ticks there is one only if others share a margin now than before, and then
        // those who get less must hear of it as well as those who get more, or their sum would not fit.
        news.retain(|node, offers| self.said.get(node) != Some(offers) || (met && *node == from));
        self.said.extend(news.iter().map(|(node, offers)| (*node, offers.clone())));

        let plan = self.planned();
        let mut commands = Vec::new();
        if self.plan.as_ref().is_none_or(|old| plans::differ(old, &plan)) {
            commands.push(self.set(plan));
        }
        commands.extend(news.into_iter().map(|(node, offers)| Command::Send(node, Message::Recalc(offers))));
        commands
    }
}

/// Whether two rates differ notably.
fn notable(a: f64, b: f64) -> bool {
    (a - b).abs() > NOTABLE * a.max(b)
}
