use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_common::plan::Plan;
use dfaas_control::{
    FunctionMeasurements, Measurements, NodeId, NodeMeasurements, Options, PeerFunctions, PeerMeasurements,
    Wait,
};
use rand_chacha::ChaCha8Rng;

use super::compile;
use super::counters::{OfFunction, OfPeer};
use super::gateway::Gateway;
use super::grants::Grants;
use super::instances::Instances;
use super::kernel::Kernel;
use super::users::Users;
use crate::federation::{Federation, Nanos, Service};
use crate::random::{Stream, stream};
use crate::scenario::Nodes;
use crate::techniques::{Technique, UnknownTechnique, needs_limits, technique};

/// The number of a node that is no neighbour.
pub(super) const STRANGER: u8 = 0;

/// One node.
pub(super) struct Node {
    /// Whether it runs.
    pub up: bool,
    pub users: Users,
    pub gateway: Gateway,
    pub instances: Instances,
    pub kernel: Kernel,
    /// The plan of each function.
    pub plans: Vec<Plan>,
    /// Its choices' random numbers.
    pub random: ChaCha8Rng,
    /// Nodes by backend number, itself first.
    pub backends: Vec<u32>,
    /// Backend numbers by node.
    pub numbers: Vec<u8>,
    pub of_functions: Vec<OfFunction>,
    /// By backend number.
    pub of_peers: Vec<OfPeer>,
    pub agent: Agent,
}

/// What runs beside the kernel.
pub(super) struct Agent {
    pub technique: Box<dyn Technique>,
    pub random: ChaCha8Rng,
    /// What the strategy was told last; counts are written over it at each tick.
    pub measured: Measurements,
    pub ticked: Nanos,
    /// When each backend was heard last.
    pub heard: Vec<Nanos>,
    /// Report of each wait that the kernel knows, as strategies number them.
    pub reports: Vec<Option<u64>>,
    pub grants: Grants,
    /// Number of the last word that was read of each backend: agents leave out what is older.
    pub read: Vec<u64>,
    /// Since when the operator drains the node; since it came, if that is later.
    pub draining: Option<Nanos>,
    /// How many times what it has it promises others; `None`: it says what is so.
    pub lies: Option<f64>,
    /// When it is to work out last what words have brought.
    pub work_out: Option<Nanos>,
    /// When it ticks next; ticks of an earlier run of it mean nothing.
    pub due: Nanos,
}

impl Node {
    pub(super) fn new(
        federation: &Federation,
        node: usize,
        name: &str,
        options: &Options,
        nodes: &Nodes,
        seed: u64,
    ) -> Result<Self, UnknownTechnique> {
        let neighbours = &federation.neighbours[node];
        let mut numbers = vec![STRANGER; federation.nodes()];
        neighbours.iter().zip(1..).for_each(|(other, number)| numbers[*other] = number);
        let functions = federation.functions.len();
        Ok(Self {
            up: true,
            users: Users::new(stream(seed, Stream::Users(node))),
            gateway: Gateway::new(federation.cores[node], nodes.discipline),
            instances: Instances::new(nodes.memory, &federation.functions),
            kernel: Kernel::new(functions, neighbours.len()),
            plans: vec![Plan::EMPTY; functions],
            random: stream(seed, Stream::Kernel(node)),
            backends: std::iter::once(node)
                .chain(neighbours.iter().copied())
                .map(|node| node as u32)
                .collect(),
            numbers,
            of_functions: vec![OfFunction::default(); functions],
            of_peers: vec![OfPeer::default(); neighbours.len() + 1],
            agent: Agent {
                technique: technique(name, options)?,
                random: stream(seed, Stream::Strategy(node)),
                measured: measurements(federation, node, nodes.label_rates.filter(|_| needs_limits(name))),
                ticked: 0,
                heard: vec![0; neighbours.len() + 1],
                reports: vec![None; neighbours.len() + 1],
                grants: Grants::new(neighbours.len() + 1),
                read: vec![0; neighbours.len() + 1],
                draining: None,
                lies: None,
                work_out: None,
                due: 0,
            },
        })
    }

    /// The backend number of a node, [`STRANGER`] if it is no neighbour.
    pub(super) fn number(&self, node: NodeId) -> u32 {
        number(&self.numbers, node)
    }

    /// The kernel learns what a backend has said; its load counts from now on if that is new.
    pub(super) fn report(&mut self, backend: usize, wait: &Wait) {
        let (report, told) = (&mut self.kernel.reports[backend], &mut self.agent.reports[backend]);
        let known = told.replace(wait.report) == Some(wait.report);
        let sent = if known { u64::from(report.sent) } else { self.kernel.loads[backend].sent };
        *report = compile::report(wait, sent);
    }

    /// The operator drains the node, or takes that back.
    pub(super) fn drain(&mut self, since: Option<Nanos>) {
        self.agent.draining = since;
        self.agent.technique.drain(since.is_some());
    }

    /// The node starts anew at this moment, knowing nothing.
    pub(super) fn restart(
        &mut self,
        name: &str,
        options: &Options,
        memory: Option<u64>,
        functions: &[Service],
        now: Nanos,
    ) -> Result<(), UnknownTechnique> {
        self.up = true;
        self.plans.fill(Plan::EMPTY);
        self.kernel.clear();
        self.instances.restart(memory, functions);
        self.of_functions.fill(OfFunction::default());
        self.of_peers.fill(OfPeer::default());
        let agent = &mut self.agent;
        agent.technique = technique(name, options)?;
        agent.technique.drain(agent.draining.is_some());
        agent.draining = agent.draining.map(|_| now);
        agent.read.fill(0);
        agent.measured.peers.clear();
        agent.ticked = now;
        agent.reports.fill(None);
        agent.grants = Grants::new(self.backends.len());
        Ok(())
    }
}

/// The backend number of a node by those of a table.
pub(super) fn number(numbers: &[u8], node: NodeId) -> u32 {
    let place = usize::try_from(node.0).ok().and_then(|node| numbers.get(node));
    u32::from(place.copied().unwrap_or(STRANGER))
}

/// What a strategy is told that does not change.
fn measurements(federation: &Federation, node: usize, label_rates: Option<f64>) -> Measurements {
    let cores = f64::from(federation.cores[node]);
    let typed = |cpu: Nanos| label_rates.map(|part| part * cores / (cpu as f64 / 1e9));
    let function = |index: usize, service: &Service| {
        let offer = federation.offer(node, index);
        FunctionMeasurements {
            here: offer.is_some(),
            max_rate: offer.and_then(|of| of.max_rate.or_else(|| typed(service.cpu))),
            max_inflight: service.max_inflight,
            deadline: Duration::from_nanos(service.deadline),
            ..FunctionMeasurements::default()
        }
    };
    let services = federation.functions.iter().enumerate();
    Measurements {
        node: NodeMeasurements { cores: Some(cores), ..NodeMeasurements::default() },
        functions: services.map(|(index, service)| (service.id, function(index, service))).collect(),
        peers: std::collections::BTreeMap::new(),
    }
}

/// What a strategy is told of a peer that has come.
pub(super) fn newcomer(federation: &Federation, node: usize, peer: usize) -> (NodeId, PeerMeasurements) {
    let served = federation.functions.iter().enumerate();
    let served: BTreeSet<_> = served
        .filter(|(index, _)| federation.offer(peer, *index).is_some())
        .map(|(_, service)| service.id)
        .collect();
    let measured = PeerMeasurements {
        functions: PeerFunctions::Known(served),
        rtt: Some(Duration::from_nanos(federation.rtt(node, peer))),
        ..PeerMeasurements::default()
    };
    (NodeId(peer as u64), measured)
}
