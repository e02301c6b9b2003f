//! Reading the maps for an explanation.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use aya::maps::MapError;
use aya::maps::lpm_trie::Key;
use dfaas_common::config::cursor;
use dfaas_common::count::{CountKey, LOCAL, NO_FUNCTION, PeerOutcome, REJECT, origin};
use dfaas_common::plan::{Plan, name_key, rate_index};

use super::explain::{Backend, Client, Explanation, Question, Scene, explain};
use super::kernel::{Kernel, map_error, monotonic};
use super::{DataPlaneError, convert};

/// What a map has for a key; nothing if it has nothing.
fn found<T>(map: &'static str, value: Result<T, MapError>) -> Result<Option<T>, DataPlaneError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(MapError::KeyNotFound) => Ok(None),
        Err(error) => Err(map_error(map)(error)),
    }
}

impl Kernel {
    /// Explains what the programs would do now, and changes nothing.
    pub(super) fn explanation(&self, question: &Question) -> Result<Explanation, DataPlaneError> {
        Ok(explain(question, &self.scene(question)?))
    }

    fn scene(&self, question: &Question) -> Result<Scene, DataPlaneError> {
        let config = self.config.get(&0, 0).map_err(map_error("CONFIG"))?;
        let function = match name_key(&question.function) {
            Some(key) => found("NAMES", self.names.get(&key, 0))?.unwrap_or(NO_FUNCTION),
            None => NO_FUNCTION,
        };
        let plan = if function == NO_FUNCTION { None } else { found("PLANS", self.plans.get(&function, 0))? };
        let state = self.functions.get(&function, 0).map_err(map_error("FUNCTIONS"))?;
        let gauge = CountKey { function, backend: LOCAL as u16, origin: origin::USER };
        let home = self.homes.get(&function, 0).map_err(map_error("HOMES"))?;
        let numbers = numbers(plan.as_ref(), home);
        let mut backends = BTreeMap::new();
        let mut waits = BTreeMap::new();
        for number in numbers.into_iter().chain([LOCAL]) {
            if number != LOCAL {
                backends.insert(number, self.backend_scene(function, number)?);
            }
            waits.insert(number, self.reports.read(number)?);
        }
        Ok(Scene {
            interfaces: self.settings.interfaces.clone(),
            now: monotonic(),
            armed: config.armed != 0,
            flows: (
                self.cursors.get(&cursor::LIVE, 0).map_err(map_error("CURSORS"))?,
                u64::from(config.max_flows - config.max_flows / 16),
            ),
            client: question.client.map(|client| self.client_scene(client)).transpose()?,
            function,
            name: self.function_name(function).unwrap_or_default(),
            plan,
            draws: state.draws,
            under_way: found("BOUND", self.bound.get(&gauge, 0))?.unwrap_or(0),
            local_arrival: state.local_arrival,
            home: (home, self.home_name(home)),
            backends,
            waits,
        })
    }

    fn client_scene(&self, client: SocketAddr) -> Result<Client, DataPlaneError> {
        let key = Key::new(128, convert::address(client.ip()));
        let is_user = found("USERS", self.users.get(&key, 0))?.is_some_and(|admitted| admitted != 0);
        let flow = self.read_flows()?.into_iter().find(|flow| flow.client == client);
        let connection = flow.map(|flow| {
            let may = if flow.pinned { ", where it stays" } else { "; its next request is chosen for anew" };
            format!("{}, with {}{may}", flow.state, flow.backend)
        });
        Ok(Client { is_user, connection })
    }

    fn backend_scene(&self, function: u32, number: u32) -> Result<Backend, DataPlaneError> {
        let entry = self.entry(number)?;
        let gateway = self.known_gateways.get(&number).map(|gateway| gateway.name.clone());
        let name = gateway.or_else(|| self.backend_name(number)).unwrap_or_else(|| format!("#{number}"));
        // Gateways have neither limits nor outcomes.
        let arrival =
            found("PEER_RATES", self.peer_rates.get(&rate_index(function, number), 0)).ok().flatten();
        let counts = self.peer_counts.get(&number, 0).ok();
        let sum = |outcome: PeerOutcome| {
            counts.iter().flat_map(|cpus| cpus.iter()).map(|cpu| cpu[outcome as usize]).sum()
        };
        Ok(Backend {
            name,
            usable: entry.usable != 0,
            routed: entry.interface != 0,
            arrival: arrival.unwrap_or(0),
            refused: (sum(PeerOutcome::Refused), sum(PeerOutcome::Silent)),
        })
    }

    fn home_name(&self, home: u32) -> String {
        match self.known_gateways.get(&home) {
            Some(gateway) => format!("gateway {} at {}", gateway.name, gateway.address),
            None if home == 0 => "the own gateway at the listen address".to_owned(),
            None => format!("gateway #{home}"),
        }
    }
}

/// The numbers of all backends with addresses of their own that have to do with the function.
fn numbers(plan: Option<&Plan>, home: u32) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::from([home]);
    if let Some(plan) = plan {
        numbers.extend(plan.targets.iter().take(plan.count as usize).map(|target| target.backend));
        let candidates = plan.candidate.iter().take(plan.candidates as usize);
        numbers.extend(candidates.map(|candidate| u32::from(*candidate)));
    }
    numbers.retain(|number| !matches!(*number, LOCAL | REJECT));
    numbers
}
