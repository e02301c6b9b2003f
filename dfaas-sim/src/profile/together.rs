use std::collections::BTreeMap;

use serde::Serialize;

use super::{Curve, MeasuredFunction, MeasuredRun};

/// What a function needs and gives on one kind of node, against the requests a second that it serves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionProfile {
    /// Its processor time, as part of all cores of the node.
    pub cpu: Curve,
    /// Its memory, as part of what the node has.
    pub memory: Curve,
    /// Mean execution time of a request, in seconds.
    pub execution_s: Curve,
    /// Part of the requests that are served, against those that come.
    pub success: Curve,
    /// Requests a second that one replica is allowed to serve.
    pub max_rate_per_replica: f64,
}

/// What one kind of node was measured to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// The node, or the kind of node.
    pub node: String,
    /// Its functions by name.
    pub functions: BTreeMap<String, FunctionProfile>,
    /// Processor time of the node, as part of all its cores, against the processor time of its functions: what is more
    /// at zero is the platform's own.
    pub cpu: Curve,
    /// Memory of the node, as part of what it has, against the processor time of its functions.
    pub memory: Curve,
    /// Power of the node in watts against its processor time; without points where it was not measured.
    pub power: Curve,
}

/// Why runs cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// There is no run.
    #[error("no measured run")]
    Empty,
    /// Runs are of different nodes.
    #[error(
        "runs of {one} and of {other} are about different nodes; put those of each together by themselves"
    )]
    Nodes {
        /// One node.
        one: String,
        /// Another.
        other: String,
    },
}

impl Profile {
    /// Puts runs of the same node together.
    ///
    /// # Errors
    /// [`ProfileError`] if there is no run, or they are of different nodes.
    pub fn of(runs: &[MeasuredRun]) -> Result<Self, ProfileError> {
        let node = &runs.first().ok_or(ProfileError::Empty)?.input.node;
        if let Some(run) = runs.iter().find(|run| run.input.node != *node) {
            return Err(ProfileError::Nodes { one: node.clone(), other: run.input.node.clone() });
        }
        let mut samples: BTreeMap<&str, Vec<&MeasuredFunction>> = BTreeMap::new();
        let (mut cpu, mut memory, mut power) = (Vec::new(), Vec::new(), Vec::new());
        for instant in runs.iter().flat_map(|run| &run.output) {
            let used = instant.functions.iter().map(|function| function.cpu_xfunc).sum();
            cpu.push((used, instant.cpu_usage));
            memory.push((used, instant.ram_usage));
            power.extend(instant.power_usage.map(|watts| (instant.cpu_usage, watts)));
            for function in &instant.functions {
                samples.entry(&function.name).or_default().push(function);
            }
        }
        let functions =
            samples.into_iter().map(|(name, samples)| (name.to_owned(), FunctionProfile::of(&samples)));
        Ok(Self {
            node: node.clone(),
            functions: functions.collect(),
            cpu: Curve::through(cpu).rising(),
            memory: Curve::through(memory),
            power: Curve::through(power).rising(),
        })
    }
}

impl FunctionProfile {
    fn of(samples: &[&MeasuredFunction]) -> Self {
        let curve = |value: fn(&MeasuredFunction) -> f64| {
            Curve::through(samples.iter().map(|sample| (sample.prom_invoc_rate, value(sample))))
        };
        let busy = samples.iter().filter(|sample| sample.prom_invoc_rate > 0.0 && sample.afet > 0.0);
        let per_replica = samples
            .iter()
            .filter(|sample| sample.service_count > 0)
            .map(|sample| sample.max_rate / f64::from(sample.service_count));
        // More replicas share what there is; the allowance of one is the largest that was set.
        Self {
            cpu: curve(|sample| sample.cpu_xfunc).rising(),
            memory: curve(|sample| sample.ram_xfunc),
            execution_s: Curve::through(busy.map(|sample| (sample.prom_invoc_rate, sample.afet))),
            success: Curve::through(
                samples
                    .iter()
                    .map(|sample| (sample.invoc_rate.max(sample.prom_invoc_rate), sample.success())),
            ),
            max_rate_per_replica: per_replica.fold(0.0, f64::max),
        }
    }

    /// Processor seconds of one request on a node with `cores` cores: what the fitted line adds for one more request a
    /// second. `None` where fewer than two rates were measured.
    pub fn cpu_seconds(&self, cores: f64) -> Option<f64> {
        self.cpu.slope().map(|part| part.max(0.0) * cores)
    }
}
