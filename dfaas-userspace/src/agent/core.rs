#[cfg(test)]
mod cost_tests;
mod deciding;
mod wanted;

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, Leases, Message, NodeId, QueryFailed, QueryId, Random, Reply, Strategy, Time,
    UnknownStrategy,
};

use super::counted::{Counted, Gatherer};
use super::cpu_time::CpuTimes;
use super::gateways::Gateways;
use super::history::History;
use super::query::{Names, Question};
use super::report_measured::Measured;
use super::roster::{RosterPeer, roster};
use super::state::Rates;
use crate::config::{Config, StaticPeer};
use crate::discovery::Catalogue;
use crate::federation::{Effects, Federation, MemberView, add};
use crate::overlay::{Event, Order};
pub(super) use wanted::Wanted;

/// Functions that only peers have, at most: the data plane's table of names is bounded, and the gateway's own
/// functions come first.
const MOST_FOREIGN: usize = 256;

/// The agent's decisions without its I/O: what it knows, and what follows from it.
pub(super) struct Core {
    strategy: Box<dyn Strategy>,
    period: Duration,
    statics: Vec<StaticPeer>,
    federation: Option<Federation>,
    gateways: Gateways,
    /// The functions of all gateways.
    catalogue: Option<Catalogue>,
    /// The functions that peers were told of last.
    served: Option<Vec<String>>,
    history: History,
    /// What gateways count.
    counts: Gatherer,
    cpu_times: CpuTimes,
    rates: BTreeMap<String, Rates>,
    /// What gateways counted until the last decision.
    counted: BTreeMap<String, Counted>,
    /// The plan that the strategy set last.
    plan: Option<dfaas_control::Plan>,
    /// What peers said that the strategy is told of with the next decision; of each the latest.
    inbox: BTreeMap<NodeId, Message>,
    /// For the overlay; taken by whoever can send them.
    orders: Vec<Order>,
    /// What the strategy asks; taken by whoever can carry it out.
    questions: Vec<Question>,
    /// Whether this node takes nothing from peers, by an operator's word.
    draining: bool,
    /// Whether the overlay was told last that demand is not met.
    unmet: bool,
}

/// What an event of the overlay calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Next {
    /// Nothing beyond the orders.
    Nothing,
    /// The plan is another: write it.
    Write,
    /// The peers are others: decide anew, then write.
    Decide,
}

impl Core {
    /// An agent that knows no function and no peer of the overlay yet.
    pub(super) fn new(config: &Config, federation: Option<Federation>) -> Result<Self, UnknownStrategy> {
        let strategy = dfaas_control::strategy(&config.control.strategy, &config.control.options)?;
        Ok(Self {
            strategy,
            period: config.control.options.period,
            statics: config.static_peers.clone(),
            federation,
            gateways: Gateways::new(config),
            catalogue: None,
            served: None,
            history: History::new(config.control.options.period),
            counts: Gatherer::new(config.gateway.poll),
            cpu_times: CpuTimes::default(),
            rates: BTreeMap::new(),
            counted: BTreeMap::new(),
            plan: None,
            inbox: BTreeMap::new(),
            orders: Vec::new(),
            questions: Vec::new(),
            draining: false,
            unmet: false,
        })
    }

    /// Keeps orders until they are taken.
    fn note(&mut self, orders: Vec<Order>) {
        orders.into_iter().for_each(|order| add(&mut self.orders, order));
    }

    /// Whether this node is on an overlay.
    pub(super) fn is_federated(&self) -> bool {
        self.federation.is_some()
    }

    /// Time between decisions.
    pub(super) fn period(&self) -> Duration {
        self.period
    }

    /// The names of the peers that invocations may be sent to.
    pub(super) fn takers(&self, now: Time) -> BTreeSet<String> {
        self.roster(now).into_iter().filter(|peer| peer.takes).map(|peer| peer.name).collect()
    }

    /// What the overlay is to do, once.
    pub(super) fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// The nodes of the overlay, for those who look.
    pub(super) fn members(&self) -> Vec<MemberView> {
        self.federation.as_ref().map(Federation::views).unwrap_or_default()
    }

    /// What this node and its peers lease each other, by name of the peer.
    pub(super) fn leases(&self, now: Time) -> BTreeMap<String, Leases> {
        let leases = self.strategy.leases();
        if leases.is_empty() {
            return BTreeMap::new();
        }
        let peers = self.roster(now).into_iter();
        peers.filter_map(|peer| Some((peer.name, *leases.get(&peer.node)?))).collect()
    }

    /// Whether another agent seems to use this node's identity.
    pub(super) fn conflict(&self, now: Time) -> bool {
        self.federation.as_ref().is_some_and(|federation| federation.conflict(now))
    }

    /// Beats that were older than what was known of their sender.
    pub(super) fn stale_beats(&self) -> u64 {
        self.federation.as_ref().map_or(0, Federation::stale_beats)
    }

    /// The next moment at which a peer will have been silent for too long.
    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.federation.as_ref().and_then(Federation::next_expiry)
    }

    /// This node's gateways.
    pub(super) fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    /// What the gateways have, once they told.
    pub(super) fn catalogue(&self) -> Option<&Catalogue> {
        self.catalogue.as_ref()
    }

    /// Takes what a gateway told, or why it told nothing; whether the functions differ from before.
    pub(super) fn told(
        &mut self,
        now: Time,
        gateway: Option<&str>,
        answer: Result<Catalogue, String>,
    ) -> bool {
        self.gateways.told(gateway, answer);
        let catalogue = self.gateways.catalogue();
        if catalogue.is_none() || catalogue == self.catalogue {
            return false;
        }
        self.catalogue = catalogue;
        self.serve(now);
        true
    }

    /// Takes a gateway's answer to a health check, or why there was none; whether it works now, if that is news.
    pub(super) fn checked(
        &mut self,
        now: Time,
        gateway: Option<&str>,
        answer: Result<(), String>,
    ) -> Option<bool> {
        let news = self.gateways.checked(gateway, answer);
        if news.is_some() {
            self.serve(now);
        }
        news
    }

    /// Tells peers what is served here: whatever may leave its node, if its gateway works.
    fn serve(&mut self, now: Time) {
        let (Some(federation), Some(catalogue)) = (&mut self.federation, &self.catalogue) else { return };
        let served = catalogue
            .functions
            .iter()
            .filter(|(_, info)| !info.local_only && self.gateways.is_healthy(info.gateway.as_deref()));
        let served: Vec<String> = served.map(|(name, _)| name.clone()).collect();
        if self.served.as_ref() != Some(&served) {
            let effects = federation.serve(now, served.clone());
            self.served = Some(served);
            self.note(effects.orders);
        }
    }

    /// Something happened to the overlay.
    pub(super) fn on_event(&mut self, now: Time, event: Event, random: &mut dyn Random) -> Next {
        let Some(federation) = &mut self.federation else { return Next::Nothing };
        let effects = federation.on_event(now, event, random);
        self.follow(now, effects)
    }

    /// Once a period, before the decision: the overlay's own business.
    pub(super) fn begin_period(&mut self, now: Time, random: &mut dyn Random) -> Next {
        let Some(federation) = &mut self.federation else { return Next::Nothing };
        let mut effects = federation.tick(now, random);
        let unmet = self.strategy.unmet().map(|worth| {
            worth.into_iter().filter_map(|(node, worth)| Some((federation.id_of(node)?, worth))).collect()
        });
        if unmet.is_some() || self.unmet {
            self.unmet = unmet.is_some();
            effects.orders.push(Order::Demand { unmet });
        }
        self.follow(now, effects)
    }

    /// Peers that have been silent for too long are peers no more.
    pub(super) fn expire(&mut self, now: Time) -> Next {
        let Some(federation) = &mut self.federation else { return Next::Nothing };
        let effects = federation.expire(now);
        self.follow(now, effects)
    }

    /// The data plane takes invocations from the peers of these names now.
    pub(super) fn data_plane_took(&mut self, now: Time, names: &BTreeSet<String>) {
        let Some(federation) = &mut self.federation else { return };
        let effects = federation.data_plane_took(now, federation.ids_of(names));
        self.note(effects.orders);
    }

    /// Says goodbye to the federation.
    pub(super) fn leave(&mut self, now: Time) {
        if let Some(federation) = &mut self.federation {
            let effects = federation.leave(now);
            self.note(effects.orders);
        }
    }

    fn follow(&mut self, now: Time, effects: Effects) -> Next {
        self.note(effects.orders);
        if effects.peers_changed {
            // The strategy hears of a peer before it hears from it.
            self.inbox.extend(effects.messages);
            return Next::Decide;
        }
        let mut next = Next::Nothing;
        for (from, message) in effects.messages {
            match self.inbox.entry(from) {
                Entry::Occupied(mut earlier) => drop(earlier.insert(message)),
                Entry::Vacant(_) => next = next.max(self.on_message(now, from, &message)),
            }
        }
        next
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Next {
        let commands = self.strategy.on_message(now, from, message);
        self.carry_out(now, commands)
    }

    /// When the strategy is to work out what messages have brought.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.strategy.due()
    }

    /// The strategy works that out, if its time has come.
    pub(super) fn work_out(&mut self, now: Time) -> Next {
        if self.strategy.due().is_none_or(|due| due > now) {
            return Next::Nothing;
        }
        let commands = self.strategy.on_due(now);
        self.carry_out(now, commands)
    }

    /// Does what the strategy wants; [`Next::Write`] if there is a new plan.
    fn carry_out(&mut self, now: Time, commands: Vec<Command>) -> Next {
        let mut next = Next::Nothing;
        for command in commands {
            match command {
                Command::SetPlan(plan) => {
                    self.plan = Some(plan);
                    next = Next::Write;
                }
                Command::SetWait(node, wait) => {
                    if let Some(plan) = &mut self.plan {
                        plan.waits.insert(node, wait);
                        next = Next::Write;
                    }
                }
                Command::Send(to, message) => {
                    let effects = self.federation.as_mut().map(|federation| federation.say(now, to, message));
                    self.note(effects.unwrap_or_default().orders);
                }
                Command::Query(id, request) => {
                    let question = Question { id, request, names: self.names(now) };
                    self.questions.push(question);
                }
            }
        }
        next
    }

    /// What numbers stand for, for those who know names only.
    fn names(&self, now: Time) -> Names {
        let peers = self.roster(now);
        let foreign = self.foreign(&peers);
        let own = self.catalogue.iter().flat_map(|catalogue| catalogue.functions.keys());
        let functions = own.chain(&foreign).map(|name| (FunctionId::from_name(name), name.clone()));
        Names {
            functions: functions.collect(),
            nodes: peers.iter().map(|peer| (peer.node, peer.name.clone())).collect(),
        }
    }

    /// What the strategy asks, once.
    pub(super) fn take_questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    /// A question of the strategy has its answer, or will have none.
    pub(super) fn on_reply(&mut self, now: Time, id: QueryId, reply: Result<Reply, QueryFailed>) -> Next {
        let commands = self.strategy.on_reply(now, id, reply);
        self.carry_out(now, commands)
    }

    /// Takes nothing from peers any more, or takes it again; peers are told at once.
    pub(super) fn drain(&mut self, now: Time, draining: bool) {
        self.draining = draining;
        self.strategy.drain(draining);
        if let Some(federation) = &mut self.federation {
            let effects = federation.drain(now, draining);
            self.note(effects.orders);
        }
    }

    /// Whether this node takes nothing from peers, by an operator's word.
    pub(super) fn draining(&self) -> bool {
        self.draining
    }

    /// The peers; none while another agent uses this node's identity, as none of them knows this one then.
    fn roster(&self, now: Time) -> Vec<RosterPeer> {
        roster(&self.statics, self.federation.as_ref().filter(|federation| !federation.conflict(now)))
    }

    /// Functions that only peers have, by name.
    fn foreign(&self, peers: &[RosterPeer]) -> Vec<String> {
        let Some(catalogue) = &self.catalogue else { return Vec::new() };
        let own: BTreeSet<&String> = catalogue.functions.values().flat_map(|info| &info.spellings).collect();
        let theirs = peers.iter().filter(|peer| peer.takes).flat_map(|peer| &peer.function_names);
        let foreign: BTreeSet<&String> = theirs.filter(|name| !own.contains(name)).collect();
        foreign.into_iter().take(MOST_FOREIGN).cloned().collect()
    }

    /// What was asked for and answered in the last period, by function.
    pub(super) fn rates(&self) -> &BTreeMap<String, Rates> {
        &self.rates
    }

    /// What was last read of machine and gateways.
    pub(super) fn measured(&self) -> Measured {
        let machine = self.history.newest().map(|sample| sample.machine.clone()).unwrap_or_default();
        Measured { machine, counted: self.counted.clone() }
    }
}
