use std::time::Duration;

use super::{FunctionState, Instant, Load, MeasuredFunction, MeasuredRun};

/// What a node and a function did while requests came at one rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How long requests came.
    pub length: Duration,
    /// Requests that were due.
    pub sent: u64,
    /// Times from when a request was due to the end of its answer, of those that were answered well in time.
    pub answered: Vec<Duration>,
    /// Mean execution time by the gateway's count; nothing if it does not tell.
    pub execution: Option<Duration>,
    /// Replicas, at the end.
    pub replicas: u32,
    /// Processor time of the node, as part of all its cores; 0 where it is not measured.
    pub cpu: f64,
    /// That of the function.
    pub function_cpu: f64,
    /// Memory in use on the node, as part of what it has; 0 where it is not measured.
    pub memory: f64,
    /// That of the function.
    pub function_memory: f64,
}

impl Step {
    /// Requests a second that came.
    pub fn offered(&self) -> f64 {
        self.a_second(self.sent)
    }

    /// Requests a second of these that were answered well in time.
    pub fn served(&self) -> f64 {
        self.a_second(self.answered.len() as u64)
    }

    /// Part of the requests that was answered well in time; 1 if none came.
    pub fn success(&self) -> f64 {
        if self.sent == 0 { 1.0 } else { self.answered.len() as f64 / self.sent as f64 }
    }

    /// The time that `part` of the answers, 0 to 1, did not exceed (nearest rank); nothing without answers.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let mut sorted = self.answered.clone();
        sorted.sort_unstable();
        let rank = (part * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied()
    }

    /// Mean time to the answer; nothing without answers.
    pub fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.answered.len()).ok().filter(|count| *count > 0)?;
        Some(self.answered.iter().sum::<Duration>() / count)
    }

    fn a_second(&self, count: u64) -> f64 {
        let seconds = self.length.as_secs_f64();
        if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
    }

    fn instant(&self, function: &str, max_rate: f64) -> Instant {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let offered = self.offered();
        let measured = MeasuredFunction {
            name: function.to_owned(),
            service_count: self.replicas,
            margin: (max_rate - offered).max(0.0),
            invoc_rate: offered,
            afet: seconds(self.execution.or_else(|| self.mean())).unwrap_or(0.0),
            ram_xfunc: self.function_memory,
            cpu_xfunc: self.function_cpu,
            max_rate,
            state: if offered < max_rate { FunctionState::Underload } else { FunctionState::Overload },
            prom_invoc_rate: self.served(),
            p50: seconds(self.quantile(0.5)),
            p95: seconds(self.quantile(0.95)),
            p99: seconds(self.quantile(0.99)),
        };
        Instant { ram_usage: self.memory, cpu_usage: self.cpu, power_usage: None, functions: vec![measured] }
    }
}

/// Steps of rising load on one function of one node; the first is best without any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ladder {
    /// In the order in which they were taken.
    pub steps: Vec<Step>,
}

impl Ladder {
    /// The largest rate that was served with at least this success, as it was at all lower ones; nothing if there was no
    /// such rate.
    pub fn sustained(&self, success: f64) -> Option<f64> {
        let mut steps: Vec<&Step> = self.steps.iter().filter(|step| step.sent > 0).collect();
        steps.sort_by(|a, b| a.offered().total_cmp(&b.offered()));
        let good = steps.iter().take_while(|step| step.success() >= success);
        good.last().map(|step| step.offered())
    }

    /// The most that was answered well in time, in requests a second; more than what is sustained, as it may come with
    /// failures.
    pub fn peak(&self) -> f64 {
        self.steps.iter().map(Step::served).fold(0.0, f64::max)
    }

    /// The ladder as a measured run, one instant a step. `max_rate` is what the function is allowed to serve, in requests
    /// a second.
    pub fn run(&self, node: &str, function: &str, max_rate: f64) -> MeasuredRun {
        let replicas = self.steps.first().map_or(0, |step| step.replicas);
        let most = self.steps.iter().map(Step::offered).fold(0.0, f64::max);
        let input = Load {
            node: node.to_owned(),
            replicas: [(function.to_owned(), replicas)].into(),
            workload: [(function.to_owned(), most)].into(),
        };
        MeasuredRun {
            input,
            output: self.steps.iter().map(|step| step.instant(function, max_rate)).collect(),
        }
    }
}
