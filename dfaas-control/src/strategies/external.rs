use std::collections::BTreeMap;
use std::time::Duration;

use super::lease::Lease;
use super::plain::{candidates, with_own_limits};
use crate::action::{Action, Forwarded, Observation};
use crate::command::{Command, Message, QueryFailed, QueryId, Reply, Request};
use crate::factory::Options;
use crate::id::{FunctionId, NodeId, Time};
use crate::measurements::{FunctionMeasurements, Measurements};
use crate::plan::Plan;
use crate::random::Random;
use crate::shares::{MAX_TARGETS, SHARE_ONE, Shares, Target};
use crate::strategy::{Leases, Strategy};

/// Periods for which the last answer is used while there is no newer one.
const KEEPS: u32 = 3;

/// A policy outside of the node decides: a model server that is told, once a period, what was measured of each function,
/// and answers which part of it goes where.
///
/// At most one query is open. While the policy is silent or answers nonsense its last answer is used, for three periods;
/// then the node does what [`Lease`] says, which runs beside it all the time and knows the peers by then. Parts for peers
/// that cannot be sent to are served here.
pub struct External {
    period: Duration,
    lifetime: Duration,
    /// What is done without an answer. It always runs, so that it knows what it needs when its turn comes.
    fallback: Box<dyn Strategy>,
    /// Its plan.
    otherwise: Plan,
    answer: Option<(Time, BTreeMap<FunctionId, Action>)>,
    open: Option<QueryId>,
    next: u64,
    measured: Measurements,
    /// What was asked with last.
    before: BTreeMap<FunctionId, Observation>,
    /// The parts of the plan in force.
    shares: BTreeMap<FunctionId, Shares>,
}

impl External {
    /// A node that has asked nobody yet. Whom it asks is the host's affair.
    pub fn new(options: &Options) -> Self {
        Self {
            period: options.period,
            lifetime: options.lifetime(),
            fallback: Box::new(Lease::new(options)),
            otherwise: Plan::new(BTreeMap::new(), options.lifetime()),
            answer: None,
            open: None,
            next: 0,
            measured: Measurements::default(),
            before: BTreeMap::new(),
            shares: BTreeMap::new(),
        }
    }

    /// Keeps the plan of the other strategy; what else it wants is done.
    fn aside(&mut self, commands: Vec<Command>) -> Vec<Command> {
        let mut others = Vec::new();
        for command in commands {
            match command {
                Command::SetPlan(plan) => self.otherwise = plan,
                Command::SetWait(peer, wait) => {
                    self.otherwise.waits.insert(peer, wait);
                    others.push(command);
                }
                // Its queries would be answered to this strategy.
                Command::Query(..) => {}
                Command::Send(..) => others.push(command),
            }
        }
        others
    }

    /// The plan as things stand: by the last answer if that is young enough, which says what becomes of every function
    /// and limits nothing that peers send; else that of the other strategy.
    fn plan(&mut self, now: Time) -> Command {
        let young = self.answer.as_ref().filter(|(at, _)| now.since(*at) <= self.period * KEEPS);
        let mut plan = match young {
            Some((_, actions)) => {
                let plan = |(id, function): (&FunctionId, &FunctionMeasurements)| {
                    let shares =
                        actions.get(id).and_then(|action| shares(*id, function, action, &self.measured));
                    let shares = shares.unwrap_or_else(|| Shares::all(Target::Local));
                    (*id, with_own_limits(shares, function))
                };
                Plan::new(self.measured.functions.iter().map(plan).collect(), self.lifetime)
            }
            None => self.otherwise.clone(),
        };
        plan.lifetime = self.lifetime;
        self.shares = plan.functions.iter().map(|(id, plan)| (*id, plan.shares.clone())).collect();
        Command::SetPlan(plan)
    }

    /// What the fallback wants between ticks, with this strategy's plan in place of its own.
    fn replanned(&mut self, now: Time, commands: Vec<Command>) -> Vec<Command> {
        let news = commands.iter().any(|command| matches!(command, Command::SetPlan(_)));
        let others = self.aside(commands);
        let plan = news.then(|| self.plan(now));
        plan.into_iter().chain(others).collect()
    }

    fn ask(&mut self) -> Option<Command> {
        if self.open.is_some() || self.measured.functions.is_empty() {
            return None;
        }
        let seen = |(id, function): (&FunctionId, &FunctionMeasurements)| (*id, self.observe(*id, function));
        let observations: BTreeMap<FunctionId, Observation> =
            self.measured.functions.iter().map(seen).collect();
        self.before = observations.clone();
        self.next += 1;
        self.open = Some(QueryId(self.next));
        Some(Command::Query(QueryId(self.next), Request::Action(observations)))
    }

    fn observe(&self, id: FunctionId, function: &FunctionMeasurements) -> Observation {
        let before = self.before.get(&id).cloned().unwrap_or_default();
        let node = &self.measured.node;
        let cpu = node.cpu.zip(node.cores.filter(|cores| *cores > 0.0)).map(|(used, all)| 100.0 * used / all);
        let peers =
            candidates(id, function, &self.measured).map(|(node, _)| (node, self.forwarded(id, node)));
        Observation {
            input_rate: function.user_rate,
            previous_input_rate: before.input_rate,
            reject_rate: function.reject_rate,
            previous_reject_rate: before.reject_rate,
            response_time: function.first_byte,
            previous_response_time: before.response_time,
            cpu,
            previous_cpu: before.cpu,
            replicas: function.replicas,
            previous_replicas: before.replicas,
            peers: peers.collect(),
        }
    }

    /// What was sent of a function to a peer. The data plane counts refusals by peer and not by function, so they are
    /// divided as what was sent.
    fn forwarded(&self, id: FunctionId, to: NodeId) -> Forwarded {
        let Some(peer) = self.measured.peers.get(&to) else { return Forwarded::default() };
        let sent = |id: FunctionId| {
            let part = self.shares.get(&id).map_or(0, |shares| shares.part(Target::Peer(to)));
            let asked = self.measured.functions.get(&id).map_or(0.0, |function| function.user_rate);
            asked * f64::from(part) / f64::from(SHARE_ONE)
        };
        let (rate, all) = (sent(id), self.measured.functions.keys().map(|id| sent(*id)).sum::<f64>());
        let refused = if all > 0.0 { (peer.refusal_rate * rate / all).min(rate) } else { 0.0 };
        Forwarded { rate, refused, response_time: peer.first_byte }
    }
}

/// The shares that an action asks for, as far as they can be; `None` if it cannot be meant.
fn shares(
    id: FunctionId,
    function: &FunctionMeasurements,
    action: &Action,
    measured: &Measurements,
) -> Option<Shares> {
    action.check().ok()?;
    if function.local_only {
        return Some(Shares::all(Target::Local));
    }
    let usable: BTreeMap<NodeId, f64> = candidates(id, function, measured)
        .filter_map(|(node, _)| Some((node, *action.peers.get(&node)?)))
        .filter(|(_, part)| *part > 0.0)
        .collect();
    let mut peers: Vec<(Target, f64)> =
        usable.iter().map(|(node, part)| (Target::Peer(*node), *part)).collect();
    peers.sort_by(|a, b| b.1.total_cmp(&a.1));
    peers.truncate(MAX_TARGETS - 2);
    let kept: f64 = peers.iter().map(|(_, part)| part).sum();
    let elsewhere = (action.peers.values().sum::<f64>() - kept).max(0.0);
    // What is not here cannot be served here, so the others get that in proportion.
    let local = if function.here { action.local + elsewhere } else { 0.0 };
    peers.extend([(Target::Local, local), (Target::Reject, action.reject)]);
    Shares::proportional(&peers).ok()
}

impl Strategy for External {
    fn name(&self) -> &'static str {
        "external"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Command> {
        self.measured = measured.clone();
        let others = self.fallback.on_tick(now, measured, random);
        let others = self.aside(others);
        // Asked first, as it tells what the plan in force until now has done.
        let query = self.ask();
        let mut commands = vec![self.plan(now)];
        commands.extend(others);
        commands.extend(query);
        commands
    }

    fn drain(&mut self, drained: bool) {
        self.fallback.drain(drained);
    }

    fn leases(&self) -> BTreeMap<NodeId, Leases> {
        self.fallback.leases()
    }

    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Vec<Command> {
        let commands = self.fallback.on_message(now, from, message);
        self.replanned(now, commands)
    }

    fn due(&self) -> Option<Time> {
        self.fallback.due()
    }

    fn on_due(&mut self, now: Time) -> Vec<Command> {
        let commands = self.fallback.on_due(now);
        self.replanned(now, commands)
    }

    fn on_reply(&mut self, now: Time, query: QueryId, reply: Result<Reply, QueryFailed>) -> Vec<Command> {
        if self.open != Some(query) {
            return Vec::new();
        }
        self.open = None;
        match reply {
            Ok(Reply::Action(actions)) => {
                self.answer = Some((now, actions));
                vec![self.plan(now)]
            }
            Err(_) => Vec::new(),
        }
    }
}
