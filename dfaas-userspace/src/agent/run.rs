use std::sync::Arc;
use std::time::{Duration, Instant};

use dfaas_control::UnknownStrategy;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::core::Core;
use super::federate::federation;
use super::following::Following;
use super::operate::Ask;
use super::query::{Answered, Asker};
use super::sources::{Provided, Sources, providers};
use super::state::State;
use super::turn::{Agent, Shown};
use super::writer::{Writer, WriterGone};
use crate::admin;
use crate::config::Config;
use crate::dataplane::{DataPlane, DataPlaneError, Left};
use crate::discovery::Report;
use crate::machine::Machine;
use crate::overlay::{self, Overlay};

/// Events of the overlay that are taken together at most.
const EVENTS: usize = 256;

/// Longest wait for the overlay to close its connections.
const FAREWELL: Duration = Duration::from_secs(2);

/// Time between calls of [`DataPlane::maintain`].
const MAINTENANCE: Duration = Duration::from_secs(1);

/// Words of operators that wait for the agent at most; more wait at their sockets.
const ASKS: usize = 8;

/// How the agent is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Detach the data plane: the machine is as before.
    Leave,
    /// Leave the data plane attached for the agent that comes next; until then plans expire and all is served here.
    Keep,
}

/// How the agent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The data plane is detached.
    Left(Left),
    /// The data plane is attached and pinned.
    Kept,
}

/// Why the agent could not run or end as told.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is no such strategy.
    #[error("control.strategy: {0}")]
    Strategy(#[from] UnknownStrategy),
    /// The client of the model server could not be made.
    #[error("client of the model server: {0}")]
    Client(#[from] reqwest::Error),
    /// The client of a gateway could not be made.
    #[error("client of a gateway: {0}")]
    Provider(String),
    /// The system gave no thread.
    #[error("data plane thread: {0}")]
    Thread(std::io::Error),
    /// The data plane's thread ended too early.
    #[error(transparent)]
    Gone(#[from] WriterGone),
    /// Detaching failed.
    #[error("leaving: {0}; `dfaas unload` removes what is left")]
    Leave(DataPlaneError),
    /// Told to end a second time while waiting for connections.
    #[error("interrupted while leaving; `dfaas unload` removes what is left")]
    Interrupted,
}

/// Everything that can happen to a running agent.
enum Event {
    Tick,
    Maintain,
    Heard(Report),
    Answered(Answered),
    Asked(Ask),
    Overlay(Vec<overlay::Event>),
    Due,
    Exit(Exit),
}

/// Runs the agent over `dataplane` and, if there is one, `overlay`, answering operators at `admin`, until `shutdown`
/// says how to end. A second word there while connections are waited for ends the wait; a closed channel means
/// [`Exit::Keep`].
///
/// # Errors
/// If the agent cannot start, or cannot detach what it attached.
pub async fn run(
    config: Config,
    admin: admin::Listeners,
    dataplane: Box<dyn DataPlane>,
    overlay: Option<Overlay>,
    shutdown: mpsc::Receiver<Exit>,
) -> Result<Outcome, AgentError> {
    let providers = providers(&config)?;
    run_over(config, providers, admin, dataplane, overlay, shutdown).await
}

/// The same with these in place of the gateways of `config`.
///
/// # Errors
/// As [`run`].
pub async fn run_over(
    config: Config,
    providers: Vec<Provided>,
    admin: admin::Listeners,
    dataplane: Box<dyn DataPlane>,
    overlay: Option<Overlay>,
    mut shutdown: mpsc::Receiver<Exit>,
) -> Result<Outcome, AgentError> {
    if !config.without_effect.is_empty() {
        tracing::warn!("without effect in this version: {}", config.without_effect.join(", "));
    }
    let core = Core::new(&config, overlay.is_some().then(|| federation(&config)))?;
    let sources = Sources::new(&config, providers);
    let writer = Writer::start(dataplane).map_err(AgentError::Thread)?;
    let started = Instant::now();
    let (orders, events, status) = match overlay {
        Some(Overlay { id, orders, events, status }) => (Some(orders), Some(events), Some((id, status))),
        None => (None, None, None),
    };
    let (publish, state) = watch::channel(Arc::new(State::new(&config, started, status)));
    let tick_seconds = admin::tick_histogram();
    let (following, serve_followers) = Following::new(writer.clone());
    let (asks, asked) = mpsc::channel(ASKS);
    let view = admin::View::new(state, writer.clone(), following, tick_seconds.clone(), asks);

    let cancel = CancellationToken::new();
    let _cancel_on_return = cancel.clone().drop_guard();
    tokio::spawn(cancel.clone().run_until_cancelled_owned(serve_followers));
    admin.serve(view, &cancel);
    let (remembered, reports) = sources.start(config.gateway.poll, &cancel);

    let (asker, answers) = Asker::new(&config)?;
    let machine = Machine::new(config.gateway.cgroup.clone());
    let mut agent =
        Agent::new(core, writer, orders, Shown { state: publish, tick_seconds }, started, asker, machine);
    agent.take_over().await?;
    for (gateway, catalogue) in remembered {
        agent.remembered(gateway.as_deref(), catalogue);
    }
    let mut events = Events::new(&config, reports, events, answers, asked);
    let exit = loop {
        let event = tokio::select! {
            exit = shutdown.recv() => Event::Exit(exit.unwrap_or(Exit::Keep)),
            event = events.next(agent.until_due()) => event,
        };
        match event {
            Event::Exit(exit) => break exit,
            Event::Tick => agent.tick().await?,
            Event::Maintain => agent.maintain().await?,
            Event::Heard(report) => {
                if agent.heard(report) {
                    agent.decide().await?;
                }
            }
            Event::Answered(answered) => agent.answered(answered).await?,
            Event::Asked(ask) => agent.operate(ask).await?,
            Event::Overlay(events) => agent.overlay(events).await?,
            Event::Due => agent.due().await?,
        }
    };
    let outcome = agent.end(exit, &mut shutdown).await;
    // The agent and with it the overlay's orders are gone: connections are being closed.
    events.farewell().await;
    outcome
}

/// The clocks and tasks that events come from.
struct Events {
    tick: Interval,
    maintain: Interval,
    reports: mpsc::Receiver<Report>,
    answers: mpsc::Receiver<Answered>,
    asked: mpsc::Receiver<Ask>,
    /// `None` without an overlay, or after its end.
    overlay: Option<mpsc::Receiver<overlay::Event>>,
}

impl Events {
    fn new(
        config: &Config,
        reports: mpsc::Receiver<Report>,
        overlay: Option<mpsc::Receiver<overlay::Event>>,
        answers: mpsc::Receiver<Answered>,
        asked: mpsc::Receiver<Ask>,
    ) -> Self {
        let every = |period| {
            let mut interval = interval(period);
            // After a pause one tick is enough: what counts is the time since the last.
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        Self {
            tick: every(config.control.options.period),
            maintain: every(MAINTENANCE),
            reports,
            answers,
            asked,
            overlay,
        }
    }

    /// Waits for the overlay to end, so that its connections are closed before the process is: a peer would wait long for
    /// one that just falls silent.
    async fn farewell(&mut self) {
        if let Some(overlay) = &mut self.overlay {
            let ended = async { while overlay.recv().await.is_some() {} };
            // Whoever does not hear it in time will miss the beats.
            let _ = tokio::time::timeout(FAREWELL, ended).await;
        }
    }

    /// The next event; [`Event::Due`] if none comes within `due`.
    async fn next(&mut self, due: Option<Duration>) -> Event {
        let due = async {
            match due {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.tick.tick() => Event::Tick,
            _ = self.maintain.tick() => Event::Maintain,
            // The tasks live as long as this end of their channel.
            Some(report) = self.reports.recv() => Event::Heard(report),
            Some(answered) = self.answers.recv() => Event::Answered(answered),
            Some(ask) = self.asked.recv() => Event::Asked(ask),
            events = overlay_events(&mut self.overlay) => Event::Overlay(events),
            () = due => Event::Due,
        }
    }
}

/// The next events of the overlay, as many as there are at once. An overlay that has ended is silent for ever.
async fn overlay_events(overlay: &mut Option<mpsc::Receiver<overlay::Event>>) -> Vec<overlay::Event> {
    let mut events = Vec::new();
    if let Some(receiver) = overlay {
        receiver.recv_many(&mut events, EVENTS).await;
        if !events.is_empty() {
            return events;
        }
        tracing::error!("the overlay has ended; peers are no longer heard of");
        *overlay = None;
    }
    std::future::pending().await
}
