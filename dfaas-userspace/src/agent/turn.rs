use std::sync::Arc;
use std::time::{Duration, Instant};

use dfaas_control::{Random, Time};
use rand::RngCore as _;
use tokio::sync::{mpsc, watch};

use super::core::Core;
use super::plans;
use super::run::{AgentError, Exit, Outcome};
use super::state::{State, WrittenPlan};
use super::writer::{Writer, WriterGone};
use crate::admin;
use crate::discovery::{Catalogue, DiscoveryError};

/// Longest wait for bound connections when leaving.
const LEAVE_LIMIT: Duration = Duration::from_secs(10);

/// What the data plane has still to be told; kept until it took it.
struct Todo {
    peers: bool,
    functions: bool,
    arm: bool,
}

/// The running agent: its decisions, the data plane's thread, and what it publishes.
pub(super) struct Agent {
    core: Core,
    writer: Writer,
    publish: watch::Sender<Arc<State>>,
    tick_seconds: admin::TickHistogram,
    started: Instant,
    todo: Todo,
    failing: Failing,
}

/// What goes wrong now; `None` where the last try went well.
#[derive(Default)]
struct Failing {
    writing: Option<String>,
    maintenance: Option<String>,
}

impl Agent {
    pub(super) fn new(
        core: Core,
        writer: Writer,
        publish: watch::Sender<Arc<State>>,
        tick_seconds: admin::TickHistogram,
        started: Instant,
    ) -> Self {
        let todo = Todo { peers: true, functions: true, arm: true };
        Self { core, writer, publish, tick_seconds, started, todo, failing: Failing::default() }
    }

    /// Changes the published state.
    fn publish(&self, change: impl FnOnce(&mut State)) {
        self.publish.send_modify(|state| change(Arc::make_mut(state)));
    }

    /// Takes what the gateway told an earlier agent, until it tells this one.
    pub(super) fn remembered(&mut self, catalogue: Catalogue) {
        tracing::info!(
            "{} functions known from before; the gateway is being asked",
            catalogue.functions.len()
        );
        catalogue.problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        self.core.learn(catalogue);
        self.publish(|state| state.catalogue = self.core.catalogue().cloned());
    }

    /// Takes the gateway's answer; whether the functions changed.
    pub(super) fn discovered(&mut self, answer: Result<Catalogue, DiscoveryError>) -> bool {
        let known = self.publish.borrow().gateway_error.clone();
        let catalogue = match answer {
            Ok(catalogue) => catalogue,
            Err(error) => {
                let error = error.to_string();
                if known.as_ref() != Some(&error) {
                    tracing::warn!("{error}; the last known functions stay");
                }
                self.publish(|state| state.gateway_error = Some(error));
                return false;
            }
        };
        if known.is_some() {
            tracing::info!("the gateway answers; {} functions", catalogue.functions.len());
        }
        self.publish(|state| state.gateway_error = None);
        let problems = catalogue.problems.clone();
        if self.core.catalogue().is_none_or(|old| old.problems != problems) {
            problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        }
        self.log_changes(&catalogue);
        if !self.core.learn(catalogue) {
            return false;
        }
        self.todo.functions = true;
        self.publish(|state| state.catalogue = self.core.catalogue().cloned());
        true
    }

    fn log_changes(&self, new: &Catalogue) {
        let none = Catalogue::default();
        let old = self.core.catalogue().unwrap_or(&none);
        for name in new.functions.keys().filter(|name| !old.functions.contains_key(*name)) {
            tracing::info!("function {name} is there");
        }
        for name in old.functions.keys().filter(|name| !new.functions.contains_key(*name)) {
            tracing::info!("function {name} is gone");
        }
    }

    /// One turn of the control loop: measure, decide, write.
    pub(super) async fn tick(&mut self) -> Result<(), WriterGone> {
        let mut failures = Vec::new();
        let snapshot = self.writer.call(|dataplane| dataplane.snapshot()).await?;
        let snapshot = snapshot.map_err(|error| failures.push(error.to_string())).ok();
        let begun = Instant::now();
        let now = Time(begun.saturating_duration_since(self.started));
        let plans = self.core.tick(now, snapshot.clone(), &mut SystemRandom);
        self.tick_seconds.observe(begun.elapsed().as_secs_f64());

        let peers = self.todo.peers.then(|| self.core.peers());
        let functions = self.core.functions().filter(|_| self.todo.functions);
        let known = self.core.catalogue().is_some();
        let (wrote_peers, wrote_functions) = (peers.is_some(), functions.is_some());
        let written = plans.clone();
        let (peers, functions, results) = self
            .writer
            .call(move |dataplane| {
                let peers = peers.map_or(Ok(()), |peers| dataplane.set_peers(&peers));
                let functions = functions.map_or(Ok(()), |functions| dataplane.set_functions(&functions));
                let plans: Vec<_> = written
                    .iter()
                    .map(|(name, plan)| (name.clone(), dataplane.write_plan(name, plan)))
                    .collect();
                (peers, functions, plans)
            })
            .await?;
        self.todo.peers &= !(wrote_peers && peers.is_ok());
        self.todo.functions &= !(wrote_functions && functions.is_ok());
        failures.extend([peers.err(), functions.err()].into_iter().flatten().map(|error| error.to_string()));
        let mut refused = Vec::new();
        for (name, result) in results {
            if let Err(error) = result {
                failures.push(format!("plan of {name}: {error}"));
                refused.push(name);
            }
        }
        // A function whose plan was refused is served here, so it is no reason not to steer the others.
        if self.todo.arm && known && !self.todo.peers && !self.todo.functions {
            match self.writer.call(|dataplane| dataplane.set_armed(true)).await? {
                Ok(()) => self.todo.arm = false,
                Err(error) => failures.push(format!("arming: {error}")),
            }
        }
        log(&self.failing.writing, &failures);
        self.failing.writing = failures.first().cloned();
        self.publish_failures(failures.len());
        let written = Instant::now();
        self.publish(|state| {
            if let Some(snapshot) = snapshot {
                state.snapshot = snapshot;
            }
            if known && failures.is_empty() {
                state.plans_written = Some(written);
            }
            state.plans.retain(|name, _| plans.contains_key(name));
            for (name, plan) in plans.into_iter().filter(|(name, _)| !refused.contains(name)) {
                let before = state.plans.get(&name);
                if before.is_none_or(|before| !plans::same(&before.plan, &plan)) {
                    state.plan_changes += 1;
                }
                state.plans.insert(name, WrittenPlan { plan, written });
            }
        });
        Ok(())
    }

    /// The data plane's own chores, once a second.
    pub(super) async fn maintain(&mut self) -> Result<(), WriterGone> {
        let result = self.writer.call(|dataplane| dataplane.maintain()).await?;
        let failures: Vec<String> =
            result.err().iter().map(|error| format!("maintenance: {error}")).collect();
        log(&self.failing.maintenance, &failures);
        self.failing.maintenance = failures.first().cloned();
        self.publish_failures(failures.len());
        Ok(())
    }

    fn publish_failures(&self, news: usize) {
        let failing = self.failing.writing.clone().or_else(|| self.failing.maintenance.clone());
        self.publish(|state| {
            state.dataplane_error = failing;
            state.dataplane_errors += news as u64;
        });
    }

    /// Ends as told; a second word from `shutdown` cuts the wait for connections short.
    pub(super) async fn end(
        self,
        exit: Exit,
        shutdown: &mut mpsc::Receiver<Exit>,
    ) -> Result<Outcome, AgentError> {
        self.publish(|state| state.leaving = true);
        if exit == Exit::Keep {
            tracing::info!("ending; the data plane stays attached");
            return Ok(Outcome::Kept);
        }
        tracing::info!("leaving; waiting up to {} s for connections", LEAVE_LIMIT.as_secs());
        let left = tokio::select! {
            left = self.writer.leave(LEAVE_LIMIT) => left?.map_err(AgentError::Leave)?,
            Some(_) = shutdown.recv() => return Err(AgentError::Interrupted),
        };
        if left.abandoned > 0 {
            tracing::warn!("{} connections were still open and are cut", left.abandoned);
        }
        Ok(Outcome::Left(left))
    }
}

/// Logs failures that were not there at the last try, and that they are over.
fn log(before: &Option<String>, failures: &[String]) {
    if before.as_ref() != failures.first() {
        failures.iter().for_each(|failure| tracing::error!("data plane: {failure}"));
    }
    if before.is_some() && failures.is_empty() {
        tracing::info!("the data plane works again");
    }
}

/// Randomness of the system.
struct SystemRandom;

impl Random for SystemRandom {
    fn next_u64(&mut self) -> u64 {
        rand::rng().next_u64()
    }
}
