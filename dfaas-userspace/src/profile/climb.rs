use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use dfaas_sim::profile::{Ladder, Step};
use reqwest::Client;
use tokio::time::sleep;

use super::meter::{Look, Meter, Used};
use super::send::{client, send};
use super::{Outcome, Plan, ProfileError, Target};
use crate::discovery::FunctionCounts;

/// Requests are taken to be sent in time if none is later than that.
const PUNCTUAL: Duration = Duration::from_millis(50);

/// A node that is in use more than that without load has something else to do.
const QUIET: f64 = 0.2;

/// What happens on the way.
#[derive(Debug)]
pub enum Said<'a> {
    /// The node is looked at without load for so long.
    Idle(Duration),
    /// A step begins, at so many requests a second.
    Begins(f64),
    /// A step is over.
    Ended(&'a Step, &'a Outcome),
}

/// A ladder that was climbed.
#[derive(Debug, Clone, PartialEq)]
pub struct Climbed {
    /// The steps: the first without load, then one for each rate that was reached.
    pub ladder: Ladder,
    /// Why requests failed, over all steps.
    pub failures: BTreeMap<String, u64>,
    /// What is to be known of the measurement, a sentence each.
    pub notes: Vec<String>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// Takes the steps of `plan` one after the other, after `idle` without load, until one has too little success or `stop` comes.
/// A step that is stopped is not kept.
///
/// # Errors
/// If the plan makes no sense, or the HTTP client cannot be made.
pub async fn climb(
    target: &Target,
    plan: &Plan,
    body: Bytes,
    meter: Option<Meter>,
    idle: Duration,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(Said<'_>),
) -> Result<Climbed, ProfileError> {
    plan.check()?;
    let mut climber = Climber {
        target,
        plan,
        client: client(target)?,
        body,
        meter,
        counts_error: None,
        nodes: BTreeSet::new(),
        behind: Duration::ZERO,
        replicas: BTreeSet::new(),
        others: false,
        sees_function: false,
        idle_cpu: None,
    };
    let mut stop = pin!(stop);
    let mut climbed =
        Climbed { ladder: Ladder::default(), failures: BTreeMap::new(), notes: Vec::new(), stopped: false };
    tell(Said::Idle(idle));
    let rates = std::iter::once(None).chain(plan.rates.iter().copied().map(Some));
    for (number, rate) in (0_u64..).zip(rates) {
        if let Some(rate) = rate {
            tell(Said::Begins(rate));
        }
        let Some((step, outcome)) = climber.step(number, rate, idle, stop.as_mut()).await else {
            climbed.stopped = true;
            climbed.notes.push("stopped before all steps were taken".to_owned());
            break;
        };
        if rate.is_some() {
            tell(Said::Ended(&step, &outcome));
        }
        for (why, count) in outcome.failures {
            *climbed.failures.entry(why).or_default() += count;
        }
        let success = step.success();
        climbed.ladder.steps.push(step);
        if let Some(rate) = rate.filter(|_| success < plan.least_success) {
            let (got, least) = (success * 100.0, plan.least_success * 100.0);
            climbed.notes.push(format!(
                "ended at {rate} requests a second: {got:.1} % were answered well in time, and {least:.1} % must be"
            ));
            break;
        }
    }
    climbed.notes.extend(climber.notes());
    Ok(climbed)
}

struct Climber<'a> {
    target: &'a Target,
    plan: &'a Plan,
    client: Client,
    body: Bytes,
    meter: Option<Meter>,
    /// Why the gateway's counts cannot be read.
    counts_error: Option<String>,
    nodes: BTreeSet<String>,
    behind: Duration,
    replicas: BTreeSet<u32>,
    /// Whether others called the function too.
    others: bool,
    sees_function: bool,
    /// Processor time of the node without load, as part of all its cores.
    idle_cpu: Option<f64>,
}

impl Climber<'_> {
    /// One step; without a rate: `idle` without load. Nothing if it was stopped.
    async fn step(
        &mut self,
        number: u64,
        rate: Option<f64>,
        idle: Duration,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Option<(Step, Outcome)> {
        let length = if rate.is_some() { self.plan.length } else { idle };
        // Each step has arrivals of its own.
        let seed = self.plan.seed.wrapping_add(number);
        let times = rate.map(|rate| self.plan.arrivals.times(rate, length, seed)).unwrap_or_default();
        let counts_before = self.counts().await;
        let before = self.meter.as_mut().map(Meter::look);
        let (client, body) = (self.client.clone(), self.body.clone());
        let load = send(&client, self.target.url(), &body, &times, self.plan.timeout, self.plan.most_at_once);
        let meter = &mut self.meter;
        // What the last requests take after the step's end is not of the step.
        let watch = async {
            sleep(length).await;
            meter.as_mut().map(Meter::look)
        };
        let (outcome, after) = tokio::select! {
            both = async { tokio::join!(load, watch) } => both,
            () = &mut stop => return None,
        };
        let used = self.used(before, after, rate.is_none());
        if rate.is_none() {
            self.idle_cpu = used.cpu;
        }
        let counts_after = self.counts().await;
        let grown = counts_before.zip(counts_after).and_then(|(before, after)| {
            let completed = after.completed.checked_sub(before.completed)?;
            Some((completed, after.busy.checked_sub(before.busy)?))
        });
        let replicas = counts_after.and_then(|counts| counts.replicas).unwrap_or(self.target.replicas());
        self.replicas.insert(replicas);
        self.others |= grown.is_some_and(|(completed, _)| completed > outcome.sent);
        self.behind = self.behind.max(outcome.behind);
        self.nodes.extend(outcome.nodes.iter().cloned());
        let mean = |(completed, busy): (u64, Duration)| {
            let completed = u32::try_from(completed).ok().filter(|completed| *completed > 0)?;
            Some(busy / completed)
        };
        let step = Step {
            length,
            sent: outcome.sent,
            answered: outcome.answered.clone(),
            execution: grown.and_then(mean),
            replicas,
            cpu: used.cpu.unwrap_or(0.0),
            function_cpu: used.function_cpu.unwrap_or(0.0),
            memory: used.memory.unwrap_or(0.0),
            function_memory: used.function_memory.unwrap_or(0.0),
        };
        Some((step, outcome))
    }

    async fn counts(&mut self) -> Option<FunctionCounts> {
        match self.target.counts().await {
            Ok(counts) => counts,
            Err(error) => {
                self.counts_error = Some(error.to_string());
                None
            }
        }
    }

    fn used(&mut self, before: Option<Look>, after: Option<Look>, idle: bool) -> Used {
        let (Some(meter), Some(before), Some(after)) = (&mut self.meter, before, after) else {
            return Used::default();
        };
        self.sees_function |= Meter::sees_function(&after);
        meter.used(&before, &after, idle)
    }

    /// What is to be known of the measurement.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.meter.is_none() {
            let address = self.target.address().ip();
            notes.push(format!(
                "processor time and memory are not measured and are 0 in the file: {address} is another machine"
            ));
        } else if !self.sees_function {
            notes.push(
                "the function's cgroup is not seen (--cgroup): its processor time is what the node used more than when idle, \
                 without this program; its memory is 0 in the file"
                    .to_owned(),
            );
        }
        if let Some(cpu) = self.idle_cpu.filter(|cpu| *cpu > QUIET) {
            notes.push(format!(
                "{:.0} % of the node's processors were in use without load: something else runs there, and is in these figures",
                cpu * 100.0
            ));
        }
        match &self.counts_error {
            Some(error) => notes.push(format!("execution times are those seen from here: {error}")),
            None if !self.target.has_counts() => notes.push(
                "execution times are those seen from here, waiting included: the gateway's metrics are not read (--metrics)"
                    .to_owned(),
            ),
            None => {}
        }
        if self.others {
            notes.push("others called the function meanwhile, so it did more than is said here".to_owned());
        }
        if self.replicas.len() > 1 {
            let replicas: Vec<String> = self.replicas.iter().map(ToString::to_string).collect();
            notes.push(format!("replicas changed on the way: {}", replicas.join(", ")));
        }
        if self.nodes.len() > 1 {
            let nodes: Vec<&str> = self.nodes.iter().map(String::as_str).collect();
            notes.push(format!(
                "answers came from several nodes ({}), so this is no profile of one: was load shared?",
                nodes.join(", ")
            ));
        }
        if self.behind > PUNCTUAL {
            notes.push(format!(
                "requests were sent up to {} ms late: this machine has too few free processors for that load",
                self.behind.as_millis()
            ));
        }
        notes
    }
}
