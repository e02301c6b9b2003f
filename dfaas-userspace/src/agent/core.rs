use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{Command, Random, Strategy, Time, UnknownStrategy};

use super::{measure, plans};
use crate::config::{Config, StaticPeer};
use crate::dataplane::{Function, FunctionPlan, Peer, Snapshot};
use crate::discovery::Catalogue;

/// The agent's decisions without its I/O: what it knows, and what follows from it.
pub(super) struct Core {
    strategy: Box<dyn Strategy>,
    peers: Vec<StaticPeer>,
    catalogue: Option<Catalogue>,
    measured: Option<(Time, Snapshot)>,
    /// The plan that the strategy set last.
    plan: Option<dfaas_control::Plan>,
}

impl Core {
    /// An agent that knows no function yet.
    pub(super) fn new(config: &Config) -> Result<Self, UnknownStrategy> {
        let strategy = dfaas_control::strategy(&config.control.strategy, &config.control.options)?;
        Ok(Self { strategy, peers: config.static_peers.clone(), catalogue: None, measured: None, plan: None })
    }

    /// The peers, as the data plane wants them.
    pub(super) fn peers(&self) -> Vec<Peer> {
        let peer = |peer: &StaticPeer| Peer {
            name: peer.name.clone(),
            address: peer.address,
            data_port: peer.data_port,
            admission: None,
        };
        self.peers.iter().map(peer).collect()
    }

    /// What the gateway has, once it told.
    pub(super) fn catalogue(&self) -> Option<&Catalogue> {
        self.catalogue.as_ref()
    }

    /// Takes what the gateway told; whether that differs from before.
    pub(super) fn learn(&mut self, catalogue: Catalogue) -> bool {
        let news = self.catalogue.as_ref() != Some(&catalogue);
        self.catalogue = Some(catalogue);
        news
    }

    /// The functions, as the data plane wants them; `None` until the gateway told.
    pub(super) fn functions(&self) -> Option<Vec<Function>> {
        let functions = &self.catalogue.as_ref()?.functions;
        let function = |(name, info): (&String, &crate::discovery::FunctionInfo)| Function {
            name: name.clone(),
            spellings: info.spellings.clone(),
        };
        Some(functions.iter().map(function).collect())
    }

    /// Asks the strategy; the plan of every known function. Nothing until the gateway told its functions.
    pub(super) fn tick(
        &mut self,
        now: Time,
        snapshot: Option<Snapshot>,
        random: &mut dyn Random,
    ) -> BTreeMap<String, FunctionPlan> {
        let Some(catalogue) = &self.catalogue else { return BTreeMap::new() };
        let before = self.measured.as_ref();
        // Without a new reading the old one stands, with no growth since.
        let snapshot = snapshot.or_else(|| before.map(|(_, old)| old.clone())).unwrap_or_default();
        let elapsed = before.map_or(Duration::ZERO, |(then, _)| now.since(*then));
        let measured =
            measure::measurements(catalogue, &self.peers, before.map(|(_, old)| old), &snapshot, elapsed);
        self.measured = Some((now, snapshot));
        for command in self.strategy.on_tick(now, &measured, random) {
            match command {
                Command::SetPlan(plan) => self.plan = Some(plan),
                // Nobody to send it to yet.
                Command::Send(..) => {}
                Command::Query(_, request) => match request {},
            }
        }
        self.plan.as_ref().map(|plan| plans::named(plan, catalogue, &self.peers)).unwrap_or_default()
    }
}
