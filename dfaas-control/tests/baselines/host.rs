//! One node with its host in small: it checks every command.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, FunctionPlan, MAX_TARGETS, Measurements, Message, NodeId,
    Options, PeerFunctions, PeerMeasurements, Plan, QueryId, Random, Request, SHARE_ONE, Strategy, Target,
    Time, strategy,
};

pub const FIGLET: FunctionId = FunctionId(7);
pub const QRCODE: FunctionId = FunctionId(8);
pub const PERIOD: Duration = Duration::from_secs(1);

/// Numbers that come again with the same seed (SplitMix64).
pub struct Dice(pub u64);

impl Random for Dice {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (mixed >> 31)
    }
}

pub struct Host {
    strategy: Box<dyn Strategy>,
    pub measured: Measurements,
    /// What the strategy was told last.
    ticked: Measurements,
    pub now: Duration,
    dice: Dice,
    pub plan: Option<Plan>,
    /// What was said since the last tick or message.
    pub said: BTreeMap<NodeId, Message>,
    /// What was asked since then.
    pub asked: Option<(QueryId, Request)>,
}

/// A function of which users ask so much, and a node serves so much.
pub fn function(user_rate: f64, max_rate: f64) -> FunctionMeasurements {
    FunctionMeasurements { user_rate, max_rate: Some(max_rate), ..FunctionMeasurements::default() }
}

pub fn serving(functions: &[FunctionId]) -> PeerMeasurements {
    let functions = functions.iter().copied().collect::<BTreeSet<_>>();
    PeerMeasurements { functions: PeerFunctions::Known(functions), ..PeerMeasurements::default() }
}

impl Host {
    /// A node of the strategy `name` with these functions and peers 2, 3 and so on.
    pub fn new(
        name: &str,
        functions: &[(FunctionId, FunctionMeasurements)],
        peers: &[PeerMeasurements],
    ) -> Self {
        let measured = Measurements {
            functions: functions.iter().copied().collect(),
            peers: (2..).map(NodeId).zip(peers.iter().cloned()).collect(),
            ..Measurements::default()
        };
        Self {
            strategy: strategy(name, &Options { period: PERIOD, ..Options::default() })
                .expect("a known name"),
            ticked: Measurements::default(),
            measured,
            now: Duration::ZERO,
            dice: Dice(1),
            plan: None,
            said: BTreeMap::new(),
            asked: None,
        }
    }

    /// A period passes.
    pub fn tick(&mut self) {
        self.now += PERIOD;
        self.ticked = self.measured.clone();
        let commands = self.strategy.on_tick(Time(self.now), &self.measured, &mut self.dice);
        assert!(matches!(commands.first(), Some(Command::SetPlan(_))), "a plan comes first");
        self.carry_out(commands);
    }

    pub fn drain(&mut self, drained: bool) {
        self.strategy.drain(drained);
    }

    pub fn hear(&mut self, from: u64, message: &Message) {
        let commands = self.strategy.on_message(Time(self.now), NodeId(from), message);
        self.carry_out(commands);
    }

    /// Has worked out what messages have brought, if that is still to be done; whether it was.
    pub fn work_out(&mut self) -> bool {
        let Some(due) = self.strategy.due() else { return false };
        let commands = self.strategy.on_due(due);
        self.carry_out(commands);
        true
    }

    pub fn reply(&mut self, id: QueryId, reply: Result<dfaas_control::Reply, dfaas_control::QueryFailed>) {
        let commands = self.strategy.on_reply(Time(self.now), id, reply);
        self.carry_out(commands);
    }

    fn carry_out(&mut self, commands: Vec<Command>) {
        self.said.clear();
        self.asked = None;
        for command in commands {
            match command {
                Command::SetPlan(plan) => {
                    self.check(&plan);
                    self.plan = Some(plan);
                }
                Command::SetWait(peer, wait) => {
                    let plan = self.plan.as_mut().expect("a plan comes before what changes in it");
                    plan.waits.insert(peer, wait);
                }
                Command::Send(to, message) => {
                    assert!(self.ticked.peers.contains_key(&to), "{to:?} is no peer");
                    self.said.insert(to, message);
                }
                Command::Query(id, request) => {
                    assert!(self.asked.replace((id, request)).is_none(), "two queries at once");
                }
            }
        }
    }

    /// What every plan must be.
    fn check(&self, plan: &Plan) {
        assert_eq!(plan.lifetime, PERIOD * 7 / 2);
        assert!(plan.waits.keys().all(|node| self.ticked.peers.contains_key(node)), "{plan:?}");
        for (id, function) in plan.functions.iter() {
            let measured = &self.ticked.functions[id];
            let parts = function.shares.parts();
            assert_eq!(parts.iter().map(|(_, part)| part).sum::<u32>(), SHARE_ONE);
            assert!(parts.len() <= MAX_TARGETS && function.overflow.len() <= 16);
            let named = parts.iter().filter_map(|(target, _)| match target {
                Target::Peer(node) => Some(*node),
                _ => None,
            });
            for node in named.chain(function.overflow.iter().copied()) {
                assert!(!measured.local_only, "{id:?} must stay here");
                assert!(
                    self.ticked.peers[&node].serves(*id, measured.here),
                    "{node:?} does not serve {id:?}"
                );
            }
            let rates = [function.local_rate, function.peers_rate];
            assert!(rates.iter().flatten().all(|rate| !rate.is_nan()), "{function:?}");
        }
    }

    pub fn function(&self, id: FunctionId) -> &FunctionPlan {
        &self.plan.as_ref().expect("it has ticked").functions[&id]
    }

    /// Percent of a function by target: 1 is this node.
    pub fn percent(&self, id: FunctionId) -> BTreeMap<u64, f64> {
        let parts = self.function(id).shares.parts().iter().map(|(target, part)| {
            let node = match target {
                Target::Local => 1,
                Target::Peer(node) => node.0,
                Target::Reject => 0,
            };
            (node, (f64::from(*part) * 100.0 / f64::from(SHARE_ONE) * 100.0).round() / 100.0)
        });
        parts.collect()
    }
}
