//! The tasks that ask this node's gateways.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::run::AgentError;
use crate::config::Config;
use crate::discovery::{self, Catalogue, Client, Health, Memory, Report};

/// Reports that wait for the agent; more make the tasks wait.
const REPORTS: usize = 16;

/// What an earlier agent was told, by gateway.
pub(super) type Remembered = Vec<(Option<String>, Catalogue)>;

/// Whom to ask for what; a gateway without a name is the node's own.
pub(super) struct Sources {
    clients: Vec<(Option<String>, Client)>,
    health: Vec<(Option<String>, Health)>,
    remembered: Remembered,
}

impl Sources {
    /// All gateways of a configuration. Those at addresses of their own are asked for their health too: the host answers
    /// for the own one at the listen addresses.
    pub(super) fn new(config: &Config) -> Result<Self, AgentError> {
        let mut sources = Self { clients: Vec::new(), health: Vec::new(), remembered: Vec::new() };
        let socket = &config.admin.socket;
        let own = Client::new(config.gateway.clone(), config.functions.clone())?;
        sources.add(None, own, Memory::beside(socket));
        if let Some(address) = config.dataplane.gateway {
            sources.health.push((None, Health::new(address).map_err(AgentError::Health)?));
        }
        for gateway in &config.foreign_gateways {
            let name = &gateway.name;
            let client = Client::new(gateway.api.clone(), config.functions.clone())?.foreign();
            sources.add(Some(name.clone()), client, Memory::of_gateway(socket, name));
            let health = Health::new(gateway.address).map_err(AgentError::Health)?;
            sources.health.push((Some(name.clone()), health));
        }
        Ok(sources)
    }

    fn add(&mut self, name: Option<String>, mut client: Client, memory: Memory) {
        self.remembered.extend(client.remember(memory).map(|catalogue| (name.clone(), catalogue)));
        self.clients.push((name, client));
    }

    /// Begins to ask every `poll`, until `cancel`; what is known from before, and what will be told.
    pub(super) fn start(
        self,
        poll: Duration,
        cancel: &CancellationToken,
    ) -> (Remembered, mpsc::Receiver<Report>) {
        let (tell, reports) = mpsc::channel(REPORTS);
        for (name, client) in self.clients {
            let follow = discovery::follow(name, client, poll, tell.clone());
            tokio::spawn(cancel.clone().run_until_cancelled_owned(follow));
        }
        for (name, health) in self.health {
            let watch = discovery::watch(name, health, poll, tell.clone());
            tokio::spawn(cancel.clone().run_until_cancelled_owned(watch));
        }
        (self.remembered, reports)
    }
}
