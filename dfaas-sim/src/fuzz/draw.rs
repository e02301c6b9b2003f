use std::time::Duration;

use super::faults::faults;
use super::numbers::Numbers;
use crate::random::{Stream, stream};
use crate::scenario::{Discipline, Function, Law, Load, Network, Nodes, Piece, Scenario};

/// Most invocations a second of all users together: what a case takes is mostly these.
const MOST_RATE: f64 = 1_500.0;

/// The scenario of this seed. It says everything, so that parts of it can be left out.
pub fn draw(seed: u64) -> Scenario {
    let mut numbers = Numbers(stream(seed, Stream::Fuzz));
    let count = numbers.between(1, 10);
    let cores: Vec<u32> = (0..count).map(|_| numbers.between(1, 8) as u32).collect();
    let functions: Vec<Function> = (0..numbers.between(1, 4)).map(|n| function(&mut numbers, n)).collect();
    let warmup = numbers.moment(0.0, 30.0);
    let duration = numbers.moment(10.0, 40.0);
    let load = load(&mut numbers, &cores, &functions, duration);
    Scenario {
        warmup,
        duration,
        period: if numbers.chance(0.7) { Duration::from_secs(1) } else { numbers.millis(200, 3_000) },
        network: network(&mut numbers, count),
        failures: faults(&mut numbers, count, duration),
        nodes: nodes(&mut numbers, cores),
        functions,
        catalogue: None,
        load,
    }
}

fn nodes(numbers: &mut Numbers, cores: Vec<u32>) -> Nodes {
    Nodes {
        count: cores.len(),
        cores,
        memory: numbers.chance(0.2).then(|| numbers.between(500, 4_000) as u64),
        discipline: if numbers.chance(0.7) { Discipline::Fifo } else { Discipline::Sharing },
        patience: numbers.chance(0.6).then_some(0.9),
        label_rates: Some(0.9),
        measure_cpu: numbers.chance(0.8),
    }
}

fn function(numbers: &mut Numbers, number: usize) -> Function {
    let cpu = numbers.millis(5, 400);
    let deadline = (cpu * 4).max(numbers.millis(50, 3_000));
    Function {
        name: format!("f{number}"),
        cpu,
        cv: numbers.part(0.0, 1.5),
        law: if numbers.chance(0.8) { Law::Lognormal } else { Law::Exponential },
        deadline,
        payload: if numbers.chance(0.3) { numbers.magnitude(1e3, 1e6) as u64 } else { 0 },
        weight: 1.0,
        max_rate: numbers.chance(0.3).then(|| numbers.magnitude(1.0, 300.0)),
        max_inflight: numbers.chance(0.1).then(|| numbers.between(1, 50) as u32),
        memory: numbers.between(32, 1_024) as u64,
        concurrency: numbers.chance(0.3).then(|| numbers.between(1, 20) as u32),
        cold_start: if numbers.chance(0.3) { numbers.millis(50, 5_000) } else { Duration::ZERO },
    }
}

fn network(numbers: &mut Numbers, count: usize) -> Network {
    let mut network = Network {
        rtt: if numbers.chance(0.1) { Duration::ZERO } else { numbers.millis(1, 300) },
        bandwidth: if numbers.chance(0.3) { numbers.magnitude(1e6, 1e9) } else { 0.0 },
        loss: if numbers.chance(0.4) { numbers.part(0.01, 0.5) } else { 0.0 },
        duplicated: if numbers.chance(0.3) { numbers.part(0.01, 0.5) } else { 0.0 },
        jitter: if numbers.chance(0.3) { numbers.millis(1, 2_000) } else { Duration::ZERO },
        ..Network::default()
    };
    let pairs = || (0..count).flat_map(|a| (0..a).map(move |b| (b, a)));
    match numbers.between(0, 2) {
        0 => network.everybody = true,
        1 => network.links = pairs().filter(|_| numbers.chance(0.4)).collect(),
        _ => (network.near, network.random) = (numbers.between(0, 3), numbers.between(0, 2)),
    }
    network
}

/// Rates of each function at each node, some of which change once or twice.
fn load(numbers: &mut Numbers, cores: &[u32], functions: &[Function], duration: Duration) -> Load {
    let mut rates = Vec::new();
    for (node, cores) in cores.iter().enumerate() {
        for from in pieces(numbers, duration) {
            let work = numbers.magnitude(0.05, 3.0) * f64::from(*cores) / functions.len() as f64;
            let rate =
                |function: &Function| (work / function.cpu.as_secs_f64()).clamp(0.1, MOST_RATE).round();
            rates.extend(functions.iter().map(|function| Piece {
                from,
                node,
                function: function.name.clone(),
                rate: rate(function).max(1.0),
            }));
        }
    }
    let most = |from: Duration| -> f64 {
        rates.iter().filter(|piece| piece.from == from).map(|piece| piece.rate).sum()
    };
    let sum = most(Duration::ZERO);
    if sum > MOST_RATE {
        rates.iter_mut().for_each(|piece| piece.rate = (piece.rate * MOST_RATE / sum).round());
    }
    Load { rates, ..Load::default() }
}

fn pieces(numbers: &mut Numbers, duration: Duration) -> Vec<Duration> {
    let changes = if numbers.chance(0.4) { numbers.between(1, 2) } else { 0 };
    let mut begins: Vec<Duration> =
        (0..changes).map(|_| numbers.moment(0.5, duration.as_secs_f64() - 0.5)).collect();
    begins.push(Duration::ZERO);
    begins.sort_unstable();
    begins.dedup();
    begins
}
