//! One node with its host in small: it carries out every command and checks it.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, MAX_TARGETS, Measurements, Message, NodeId, Offer, Options,
    PeerMeasurements, Plan, Random, RecalcSplit, SHARE_ONE, Strategy, Target, Time, strategy,
};

pub const FIGLET: FunctionId = FunctionId(7);
pub const PERIOD: Duration = Duration::from_secs(1);

/// Randomness that this strategy has no right to ask for.
pub struct NoDice;

impl Random for NoDice {
    fn next_u64(&mut self) -> u64 {
        panic!("recalc drew a random number")
    }
}

pub struct Node {
    strategy: Box<dyn Strategy>,
    pub measured: Measurements,
    /// What the strategy was told at its last tick.
    ticked: Measurements,
    /// When, and the least that users asked for since the last tick that covers a period: an early tick counts in part.
    counted: Option<(Duration, BTreeMap<FunctionId, f64>)>,
    pub plan: Option<Plan>,
    /// What each peer was told last.
    said: BTreeMap<NodeId, Vec<Offer>>,
}

pub fn function(max_rate: f64) -> FunctionMeasurements {
    FunctionMeasurements { max_rate: Some(max_rate), ..FunctionMeasurements::default() }
}

impl Node {
    pub fn new(split: RecalcSplit, functions: BTreeMap<FunctionId, FunctionMeasurements>) -> Self {
        let options = Options { period: PERIOD, recalc_split: split, ..Options::default() };
        let measured = Measurements { functions, ..Measurements::default() };
        Self {
            strategy: strategy("recalc", &options).expect("a known name"),
            ticked: Measurements::default(),
            counted: None,
            measured,
            plan: None,
            said: BTreeMap::new(),
        }
    }

    pub fn figlet(&mut self) -> &mut FunctionMeasurements {
        self.measured.functions.get_mut(&FIGLET).expect("every node of these tests knows it")
    }

    pub fn meets(&mut self, peer: u64) -> &mut PeerMeasurements {
        self.measured.peers.entry(NodeId(peer)).or_default()
    }

    pub fn tick(&mut self, now: Duration) -> Vec<Command> {
        self.ticked = self.measured.clone();
        let mut least: BTreeMap<FunctionId, f64> =
            self.measured.functions.iter().map(|(id, function)| (*id, function.user_rate)).collect();
        if let Some((then, before)) = self.counted.take()
            && now < then + PERIOD * 9 / 10
        {
            for (id, rate) in &mut least {
                *rate = rate.min(before.get(id).copied().unwrap_or(*rate));
            }
        }
        self.counted = Some((now, least));
        self.said.retain(|node, _| self.ticked.peers.contains_key(node));
        let commands = self.strategy.on_tick(Time(now), &self.measured, &mut NoDice);
        self.carry_out(&commands);
        commands
    }

    pub fn hear(&mut self, now: Duration, from: u64, message: &Message) -> Vec<Command> {
        let commands = self.strategy.on_message(Time(now), NodeId(from), message);
        self.carry_out(&commands);
        commands
    }

    fn carry_out(&mut self, commands: &[Command]) {
        for (index, command) in commands.iter().enumerate() {
            match command {
                Command::SetPlan(plan) => {
                    assert_eq!(index, 0, "a plan comes before what is said of it");
                    self.check_plan(plan);
                    self.plan = Some(plan.clone());
                }
                Command::Send(to, Message::Recalc(offers)) => {
                    assert!(self.ticked.peers.contains_key(to), "{to:?} is no peer");
                    self.said.insert(*to, offers.clone());
                }
                Command::Send(..) => panic!("recalc spoke the words of another strategy"),
                Command::SetWait(..) => panic!("recalc knows no waits"),
                Command::Query(..) => panic!("recalc asked something"),
            }
        }
        self.check_grants();
    }

    fn check_plan(&self, plan: &Plan) {
        assert_eq!(plan.lifetime, PERIOD * 7 / 2);
        for (id, function) in plan.functions.iter() {
            assert!(self.ticked.functions.contains_key(id));
            let parts = function.shares.parts();
            assert_eq!(parts.iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
            assert!(parts.len() + usize::from(function.local_first) <= MAX_TARGETS, "{function:?}");
            for (target, _) in parts {
                if let Target::Peer(node) = target {
                    assert!(self.ticked.peers.contains_key(node), "{node:?} is no peer");
                    assert!(function.peer_rate[node] > 0.0 && function.peer_rate[node].is_finite());
                }
            }
        }
        for (node, admission) in &plan.admission {
            assert!(self.ticked.peers.contains_key(node), "{node:?} is no peer");
            assert!(admission.rate > 0.0 && admission.rate.is_finite() && admission.burst >= 1.0);
        }
    }

    /// What the peers were told, all together, is never more than what users leave.
    fn check_grants(&self) {
        let Some((_, asked)) = &self.counted else { return };
        for (id, function) in &self.ticked.functions {
            let granted: f64 = self.said.values().map(|offers| f64::from(limit(offers, *id))).sum();
            let left = function.max_rate.map_or(0.0, |most| (most - asked[id]).max(0.0));
            assert!(granted <= left, "{granted} granted of {left}: {:?}", self.said);
        }
    }

    /// Who serves how many of the invocations that users ask for, a second; what is left over is refused.
    pub fn served(&mut self, own: u64) -> BTreeMap<u64, f64> {
        let asked = self.figlet().user_rate;
        let plan = self.plan.as_ref().expect("it has ticked").functions[&FIGLET].clone();
        let local_rate = plan.local_rate.unwrap_or(f64::INFINITY);
        let first = if plan.local_first { asked.min(local_rate) } else { 0.0 };
        let mut served = BTreeMap::from([(own, first)]);
        for (target, part) in plan.shares.parts() {
            let drawn = (asked - first) * f64::from(*part) / f64::from(SHARE_ONE);
            match target {
                Target::Local => *served.entry(own).or_default() += drawn.min(local_rate),
                Target::Peer(node) => {
                    served.insert(node.0, drawn.min(plan.peer_rate[node]));
                }
                Target::Reject => {}
            }
        }
        served
    }

    /// What peers may be sent, by the plan.
    pub fn limits(&self) -> BTreeMap<u64, f64> {
        let plan = &self.plan.as_ref().expect("it has ticked").functions[&FIGLET];
        plan.peer_rate.iter().map(|(node, rate)| (node.0, *rate)).collect()
    }
}

/// What these offers grant of a function.
pub fn limit(offers: &[Offer], id: FunctionId) -> f32 {
    offers.iter().find(|offer| offer.function == id).map_or(0.0, |offer| offer.limit)
}
