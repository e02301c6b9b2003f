//! The tasks that ask this node's gateways.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::run::AgentError;
use crate::config::Config;
use crate::discovery::{self, Catalogue, Memory, OpenFaas, Provider, Report, Source};

/// Reports that wait for the agent; more make the tasks wait.
const REPORTS: usize = 16;

/// What an earlier agent was told, by gateway.
pub(super) type Remembered = Vec<(Option<String>, Catalogue)>;

/// A gateway of the node, and who speaks to it.
#[derive(Debug, Clone)]
pub struct Provided {
    /// Its name; `None`: the node's own.
    pub gateway: Option<String>,
    /// Who speaks to it.
    pub provider: Arc<dyn Provider>,
}

/// The gateways of a configuration. Those at addresses of their own are asked for their health too: the host answers for
/// the own one at the listen addresses.
///
/// # Errors
/// If a client cannot be made.
pub fn providers(config: &Config) -> Result<Vec<Provided>, AgentError> {
    let own = OpenFaas::own(&config.gateway, config.dataplane.gateway).map_err(AgentError::Provider)?;
    let mut providers = vec![Provided { gateway: None, provider: Arc::new(own) }];
    for gateway in &config.foreign_gateways {
        let provider = OpenFaas::foreign(&gateway.api, gateway.address).map_err(AgentError::Provider)?;
        providers.push(Provided { gateway: Some(gateway.name.clone()), provider: Arc::new(provider) });
    }
    Ok(providers)
}

/// Whom to ask for what.
pub(super) struct Sources {
    all: Vec<(Provided, Source)>,
    remembered: Remembered,
}

impl Sources {
    /// These gateways, with what is remembered of them beside the agent's socket.
    pub(super) fn new(config: &Config, providers: Vec<Provided>) -> Self {
        let socket = &config.admin.socket;
        let mut sources = Self { all: Vec::new(), remembered: Vec::new() };
        for provided in providers {
            let memory = match &provided.gateway {
                None => Memory::beside(socket),
                Some(name) => Memory::of_gateway(socket, name),
            };
            let mut source = Source::new(provided.provider.clone(), config.functions.clone());
            let kept = source.remember(memory);
            sources.remembered.extend(kept.map(|catalogue| (provided.gateway.clone(), catalogue)));
            sources.all.push((provided, source));
        }
        sources
    }

    /// Begins to ask every `poll`, until `cancel`; what is known from before, and what will be told.
    pub(super) fn start(
        self,
        poll: Duration,
        cancel: &CancellationToken,
    ) -> (Remembered, mpsc::Receiver<Report>) {
        let (tell, reports) = mpsc::channel(REPORTS);
        for (Provided { gateway, provider }, source) in self.all {
            let follow = discovery::follow(gateway.clone(), source, poll, tell.clone());
            tokio::spawn(cancel.clone().run_until_cancelled_owned(follow));
            let watch = discovery::watch(gateway.clone(), provider.clone(), poll, tell.clone());
            tokio::spawn(cancel.clone().run_until_cancelled_owned(watch));
            let count = discovery::count(gateway, provider, poll, tell.clone());
            tokio::spawn(cancel.clone().run_until_cancelled_owned(count));
        }
        (self.remembered, reports)
    }
}
