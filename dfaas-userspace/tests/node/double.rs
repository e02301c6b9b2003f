//! A data plane that remembers what it was told, and refuses what the real one refuses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dfaas_userspace::dataplane::{
    DataPlane, DataPlaneError, Drops, Explanation, FirstByte, FlowView, Function, FunctionPlan, Gateway,
    Inflight, Invocations, Left, Moves, Origin, Outcome, Peer, PeerCounters, Pins, Question, Seen, Snapshot,
    Step, Taken, Target, Waits,
};

#[derive(Default)]
pub struct Memory {
    pub peers: Vec<Peer>,
    /// Peers that an earlier agent left.
    pub earlier_peers: Vec<String>,
    pub functions: Vec<Function>,
    pub gateways: Vec<Gateway>,
    pub plans: BTreeMap<String, FunctionPlan>,
    pub waits: Waits,
    pub writes: u64,
    /// Plans that had been written when it was armed.
    pub armed_after: Option<u64>,
    pub maintained: u64,
    pub left: Option<Duration>,
    pub dropped: bool,
    pub broken: bool,
    pub leave_takes: Duration,
    pub snapshot: Snapshot,
    pub sample: u32,
    /// Invocations that are reported while that is not 0, and those that are lost.
    pub seen: Vec<Seen>,
    pub lost: u64,
    pub flows: Vec<FlowView>,
}

#[derive(Clone, Default)]
pub struct Double(Arc<Mutex<Memory>>);

impl Double {
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// The value that the agent owns.
    pub fn boxed(&self) -> Box<dyn DataPlane> {
        Box::new(Owned(self.clone()))
    }

    pub fn count(&self, function: &str, origin: Origin, backend: &str, count: u64) {
        let (function, backend) = (function.to_owned(), backend.to_owned());
        self.memory().snapshot.invocations.push(Invocations {
            function,
            origin,
            backend,
            count,
            ..Invocations::default()
        });
    }

    /// Something in every part of the snapshot.
    pub fn fill(&self) {
        self.count("figlet", Origin::User, "local", 60);
        self.count("figlet", Origin::User, "b", 40);
        self.count("figlet", Origin::User, "reject", 3);
        self.count("figlet", Origin::Peer, "local", 7);
        let inflight = Inflight { function: "figlet".to_owned(), backend: "b".to_owned(), count: 2 };
        let mut memory = self.memory();
        memory.snapshot.inflight.push(inflight);
        memory.snapshot.drops.push(Drops { reason: "bad_cookie", count: 5 });
        let mut buckets = [0; 12];
        (buckets[1], buckets[11]) = (3, 1);
        let sum = Duration::from_millis(12_500);
        let (function, backend) = ("figlet".to_owned(), "b".to_owned());
        memory.snapshot.first_byte.push(FirstByte { function, backend, buckets, sum });
        let (refused, silent, reset, accepted, denied) = (1, 2, 3, 40, 5);
        let peer = "b".to_owned();
        let counters = PeerCounters { peer, refused, silent, reset, accepted, denied, inflight: 6 };
        memory.snapshot.peers.push(counters);
        memory.snapshot.flows = 11;
        memory.snapshot.retries = 4;
        let moves = |from: &str, to: &str, count| Moves { from: from.to_owned(), to: to.to_owned(), count };
        memory.snapshot.moves = vec![moves("b", "local", 8), moves("local", "b", 9)];
        memory.snapshot.pins.push(Pins { reason: "request", count: 3 });
        for line in &mut memory.snapshot.invocations {
            line.answers = [1, 0, line.count - 2, 0, 0, 1];
            (line.bytes_to_backend, line.bytes_to_client) = (100 * line.count, 1_000 * line.count);
        }
    }
}

struct Owned(Double);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.memory().dropped = true;
    }
}

fn broken(memory: &Memory) -> Result<(), DataPlaneError> {
    if memory.broken {
        return Err(DataPlaneError::Map { map: "PLAN", cause: "told to fail".to_owned() });
    }
    Ok(())
}

fn unknown(what: &str) -> DataPlaneError {
    DataPlaneError::Setup { what: what.to_owned(), cause: "unknown".to_owned(), hint: "tell it first" }
}

impl DataPlane for Owned {
    fn earlier_peers(&self) -> Result<Vec<String>, DataPlaneError> {
        Ok(self.0.memory().earlier_peers.clone())
    }

    fn set_peers(&mut self, peers: &[Peer]) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.peers = peers.to_vec();
        Ok(())
    }

    fn set_gateways(&mut self, gateways: &[Gateway]) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.gateways = gateways.to_vec();
        Ok(())
    }

    fn set_functions(&mut self, functions: &[Function]) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        for name in functions.iter().filter_map(|function| function.gateway.as_ref()) {
            if !memory.gateways.iter().any(|gateway| gateway.name == *name) {
                return Err(unknown(name));
            }
        }
        memory.functions = functions.to_vec();
        memory.plans.retain(|name, _| functions.iter().any(|function| function.name == *name));
        Ok(())
    }

    fn write_plan(&mut self, function: &str, plan: &FunctionPlan) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        if !memory.functions.iter().any(|known| known.name == function) {
            return Err(unknown(function));
        }
        for (target, _) in &plan.shares {
            if let Target::Peer(name) = target
                && !memory.peers.iter().any(|peer| peer.name == *name)
            {
                return Err(unknown(name));
            }
        }
        assert_eq!(plan.shares.iter().map(|(_, part)| part).sum::<u32>(), 65_536);
        memory.plans.insert(function.to_owned(), plan.clone());
        memory.writes += 1;
        Ok(())
    }

    fn set_waits(&mut self, waits: &Waits) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.waits = waits.clone();
        Ok(())
    }

    fn set_armed(&mut self, armed: bool) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.snapshot.armed = armed;
        memory.armed_after = Some(memory.writes);
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.maintained += 1;
        Ok(())
    }

    fn snapshot(&self) -> Result<Snapshot, DataPlaneError> {
        let memory = self.0.memory();
        broken(&memory)?;
        Ok(memory.snapshot.clone())
    }

    fn set_sample(&mut self, sample: u32) -> Result<(), DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.sample = sample;
        Ok(())
    }

    fn take_seen(&mut self, most: usize) -> Result<Taken, DataPlaneError> {
        let mut memory = self.0.memory();
        broken(&memory)?;
        let count = most.min(memory.seen.len());
        Ok(Taken { seen: memory.seen.drain(..count).collect(), lost: std::mem::take(&mut memory.lost) })
    }

    fn flows(&self) -> Result<Vec<FlowView>, DataPlaneError> {
        let memory = self.0.memory();
        broken(&memory)?;
        Ok(memory.flows.clone())
    }

    fn explain(&self, question: &Question) -> Result<Explanation, DataPlaneError> {
        let memory = self.0.memory();
        broken(&memory)?;
        let outcomes = vec![Outcome { backend: "b".to_owned(), probability: 1.0 }];
        let steps = vec![Step::new("plan", "b 100%"), Step::new("outcome", "b")];
        let (function, client) = (question.function.clone(), question.client);
        Ok(Explanation { function, client, outcomes, steps })
    }

    fn leave(self: Box<Self>, limit: Duration) -> Result<Left, DataPlaneError> {
        let takes = self.0.memory().leave_takes;
        std::thread::sleep(takes);
        let mut memory = self.0.memory();
        broken(&memory)?;
        memory.left = Some(limit);
        Ok(Left { abandoned: 2 })
    }
}
