use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dfaas_control::{Random, Time};
use rand::RngCore as _;
use tokio::sync::{mpsc, watch};

use super::arming::{self, Arming};
use super::core::{Core, Next};
use super::query::Asker;
use super::run::{AgentError, Exit, Outcome};
use super::settling::Settling;
use super::state::State;
use super::writer::{Writer, WriterGone};
use super::written::{Plans, Written};
use crate::admin;
use crate::machine::{Machine, Reading};
use crate::overlay::{Event, Order};

/// Longest wait for bound connections when leaving.
const LEAVE_LIMIT: Duration = Duration::from_secs(10);

/// The running agent: its decisions, the data plane's thread, and what it publishes.
pub(super) struct Agent {
    pub(super) core: Core,
    writer: Writer,
    /// To the overlay, if there is one.
    orders: Option<mpsc::Sender<Order>>,
    pub(super) publish: watch::Sender<Arc<State>>,
    tick_seconds: admin::TickHistogram,
    started: Instant,
    written: Written,
    arming: Arming,
    /// What an earlier agent left; `None` once it is this agent's own.
    settling: Option<Settling>,
    pub(super) failing: Failing,
    /// Who answers the strategy's questions.
    pub(super) asker: Asker,
    /// Looks at the machine; `None` while it does.
    machine: Option<Machine>,
}

/// Where others see how the agent does.
pub(super) struct Shown {
    pub state: watch::Sender<Arc<State>>,
    pub tick_seconds: admin::TickHistogram,
}

/// What goes wrong now; `None` where the last try went well.
#[derive(Default)]
pub(super) struct Failing {
    pub writing: Option<String>,
    pub maintenance: Option<String>,
    /// Reading what gateways count, by gateway.
    pub counts: BTreeMap<Option<String>, String>,
}

impl Agent {
    pub(super) fn new(
        core: Core,
        writer: Writer,
        orders: Option<mpsc::Sender<Order>>,
        Shown { state: publish, tick_seconds }: Shown,
        started: Instant,
        asker: Asker,
        machine: Machine,
    ) -> Self {
        let (written, arming, failing) = (Written::default(), Arming::default(), Failing::default());
        Self {
            core,
            writer,
            orders,
            publish,
            tick_seconds,
            started,
            written,
            arming,
            settling: None,
            failing,
            asker,
            machine: Some(machine),
        }
    }

    /// The agent's clock.
    pub(super) fn now(&self) -> Time {
        Time(self.started.elapsed())
    }

    /// Looks at what an earlier agent left: its plans are better than those of an agent that knows nobody yet.
    pub(super) async fn take_over(&mut self) -> Result<(), WriterGone> {
        if !self.core.is_federated() {
            return Ok(());
        }
        match self.writer.call(|dataplane| dataplane.earlier_peers()).await? {
            Ok(earlier) => self.settling = Settling::begin(self.now(), self.core.period(), earlier),
            Err(error) => tracing::warn!("data plane: {error}; the peers of the earlier agent are forgotten"),
        }
        Ok(())
    }

    /// Takes events of the overlay that came together; what they call for is done once.
    pub(super) async fn overlay(&mut self, events: Vec<Event>) -> Result<(), WriterGone> {
        let now = self.now();
        let mut next = Next::Nothing;
        for event in events {
            next = next.max(self.core.on_event(now, event, &mut SystemRandom));
        }
        self.proceed(next).await
    }

    /// Looks for peers that have been silent for too long, and works out what the others have said.
    pub(super) async fn due(&mut self) -> Result<(), WriterGone> {
        let now = self.now();
        let next = self.core.expire(now).max(self.core.work_out(now));
        self.proceed(next).await
    }

    /// How long until there is something to do that nothing else calls for; nothing while there is not.
    pub(super) fn until_due(&self) -> Option<Duration> {
        let next = [self.core.next_expiry(), self.core.next_due()].into_iter().flatten().min();
        next.map(|at| at.since(self.now()))
    }

    pub(super) async fn proceed(&mut self, next: Next) -> Result<(), WriterGone> {
        match next {
            Next::Nothing => {
                self.send_orders();
                self.publish_overlay();
                Ok(())
            }
            Next::Write => self.write(Plans::News, Vec::new()).await,
            Next::Decide => self.decide().await,
        }
    }

    /// One turn of the control loop: measure, decide, write.
    pub(super) async fn tick(&mut self) -> Result<(), WriterGone> {
        // Whatever that calls for, the decision comes now.
        self.core.begin_period(self.now(), &mut SystemRandom);
        self.decide().await
    }

    /// Measures, decides and writes.
    pub(super) async fn decide(&mut self) -> Result<(), WriterGone> {
        let mut failures = Vec::new();
        let reading = self.look().await;
        let snapshot = self.writer.call(|dataplane| dataplane.snapshot()).await?;
        let snapshot = snapshot.map_err(|error| failures.push(error.to_string())).ok();
        let begun = Instant::now();
        self.core.decide(self.now(), snapshot.clone(), reading, &mut SystemRandom);
        self.tick_seconds.observe(begun.elapsed().as_secs_f64());
        if let Some(snapshot) = &snapshot {
            self.log_problems(&snapshot.problems);
        }
        self.publish(|state| {
            state.rates = self.core.rates().clone();
            state.measured = self.core.measured();
            if let Some(snapshot) = snapshot {
                state.snapshot = snapshot;
            }
        });
        self.write(Plans::All, failures).await
    }

    /// Looks at the machine, beside the loop, as files are read.
    async fn look(&mut self) -> Reading {
        let Some(mut machine) = self.machine.take() else { return Reading::default() };
        let functions = self.core.to_measure();
        let looked = tokio::task::spawn_blocking(move || {
            let reading = machine.read(&functions);
            (machine, reading)
        });
        match looked.await {
            Ok((machine, reading)) => {
                self.machine = Some(machine);
                reading
            }
            // The runtime is on its way out.
            Err(_) => Reading::default(),
        }
    }

    /// Brings the data plane to what is wanted; `failures` are those on the way here.
    pub(super) async fn write(&mut self, plans: Plans, mut failures: Vec<String>) -> Result<(), WriterGone> {
        let now = self.now();
        let wanted = self.core.wanted(now);
        if let Some(settling) =
            self.settling.take_if(|settling| !settling.is_over(now, &self.core.takers(now)))
        {
            let known = settling.kept(&wanted);
            self.settling = Some(settling);
            self.core.data_plane_took(now, &known);
            self.send_orders();
            self.publish_overlay();
            return Ok(());
        }
        self.settling = None;
        let todo = self.written.todo(&wanted, plans);
        let written = todo.plan_names();
        let told = self.writer.call(move |dataplane| todo.carry_out(dataplane)).await?;
        failures.extend(self.written.note(&wanted, &told));
        let mut refused = BTreeSet::new();
        for (name, error) in told.plans {
            failures.push(format!("plan of {name}: {error}"));
            refused.insert(name);
        }
        // A function whose plan was refused is served here, so it is no reason not to steer the others.
        if self.written.is_complete() {
            failures.extend(self.arm(now, arming::need(&wanted)).await?);
        }
        if let Some(names) = self.written.peer_names() {
            self.core.data_plane_took(now, &names);
        }
        self.send_orders();
        log(&self.failing.writing, &failures);
        self.failing.writing = failures.first().cloned();
        self.publish_failures(failures.len());
        self.publish_overlay();
        self.publish_plans(wanted, &written, &refused, failures.is_empty() && plans == Plans::All);
        Ok(())
    }

    /// Arms or disarms the data plane, once it was told all else: connections are steered by the plans in force, and are
    /// left to the gateway only when these have been all local for long. Why that failed, if it did.
    async fn arm(&mut self, now: Time, need: Option<String>) -> Result<Option<String>, WriterGone> {
        let change = self.arming.step(now, need.as_deref());
        if self.publish.borrow().steering_need != need {
            self.publish(|state| state.steering_need.clone_from(&need));
        }
        let Some(armed) = change else { return Ok(None) };
        match self.writer.call(move |dataplane| dataplane.set_armed(armed)).await? {
            Ok(()) => {
                tracing::info!("{}", if armed { "armed" } else { "disarmed: nothing needs steering" });
                self.arming.done(armed);
                self.publish(|state| state.snapshot.armed = armed);
                Ok(None)
            }
            Err(error) => Ok(Some(format!("{}: {error}", if armed { "arming" } else { "disarming" }))),
        }
    }

    /// Tells once what stands in the way of backends.
    fn log_problems(&self, problems: &[String]) {
        let known = &self.publish.borrow().snapshot.problems;
        problems.iter().filter(|problem| !known.contains(problem)).for_each(|news| tracing::warn!("{news}"));
    }

    /// Gives the overlay its orders. One that finds it busy is lost: the next beat says everything again.
    pub(super) fn send_orders(&mut self) {
        self.core.take_questions().into_iter().for_each(|question| self.asker.ask(question));
        let orders = self.core.take_orders();
        let Some(overlay) = &self.orders else { return };
        let lost = orders.into_iter().filter_map(|order| overlay.try_send(order).err()).count();
        if lost > 0 {
            tracing::warn!("the overlay is busy: {lost} messages were not sent");
        }
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

    /// Ends as told; a second word from `shutdown` cuts the wait for connections short.
    pub(super) async fn end(
        mut self,
        exit: Exit,
        shutdown: &mut mpsc::Receiver<Exit>,
    ) -> Result<Outcome, AgentError> {
        self.publish(|state| state.leaving = true);
        if exit == Exit::Keep {
            // Followers end with the agent; should it fail, the next one begins with the same.
            let _ = self.writer.call(|dataplane| dataplane.set_sample(0)).await?;
            tracing::info!("ending; the data plane stays attached");
            return Ok(Outcome::Kept);
        }
        // Peers stop sending before anything is taken away.
        self.core.leave(self.now());
        self.send_orders();
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
