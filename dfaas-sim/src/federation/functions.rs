use std::time::Duration;

use dfaas_control::FunctionId;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Service, nanos};
use crate::scenario::{Catalogue, Function, Scenario};

/// The functions, in the order of their ids.
pub(super) fn functions(scenario: &Scenario, random: &mut ChaCha8Rng) -> Vec<Service> {
    let mut functions: Vec<Service> = match &scenario.catalogue {
        Some(catalogue) => (0..catalogue.count).map(|index| drawn(catalogue, index, random)).collect(),
        None => scenario.functions.iter().map(Service::of).collect(),
    };
    functions.sort_by_key(|function| function.id);
    functions
}

impl Service {
    /// What a scenario says of a function.
    pub(crate) fn of(function: &Function) -> Self {
        Self {
            name: function.name.clone(),
            id: FunctionId::from_name(&function.name),
            cpu: nanos(function.cpu),
            cv: function.cv,
            law: function.law,
            deadline: nanos(function.deadline),
            payload: function.payload,
            weight: function.weight,
            max_rate: function.max_rate,
            max_inflight: function.max_inflight,
            memory: function.memory,
            concurrency: function.concurrency,
            cold_start: nanos(function.cold_start),
        }
    }
}

fn drawn(catalogue: &Catalogue, index: usize, random: &mut ChaCha8Rng) -> Service {
    let normal: f64 = StandardNormal.sample(random);
    let cpu = nanos(catalogue.cpu) as f64 * (catalogue.cpu_spread * normal).exp();
    let cpu = (cpu.round() as u64).clamp(1_000_000, nanos(catalogue.cpu_most).max(1_000_000));
    let function = Function::new(&format!("f{index}"), Duration::from_nanos(cpu));
    Service::of(&Function { cv: catalogue.cv, deadline: catalogue.deadline, ..function })
}
