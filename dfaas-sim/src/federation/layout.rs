use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Nanos, nanos};
use crate::scenario::{Network, Nodes};

/// Processors of each node.
pub(super) fn cores(nodes: &Nodes, random: &mut ChaCha8Rng) -> Vec<u32> {
    if nodes.cores.len() == nodes.count {
        return nodes.cores.clone();
    }
    (0..nodes.count).map(|_| nodes.cores[random.random_range(0..nodes.cores.len())]).collect()
}

/// Round-trip times, row by row.
pub(super) fn rtts(network: &Network, count: usize, random: &mut ChaCha8Rng) -> Vec<Nanos> {
    if !network.rtts_ms.is_empty() {
        return network.rtts_ms.iter().flatten().map(|ms| (ms * 1e6).round() as Nanos).collect();
    }
    let places: Vec<(f64, f64)> = (0..count).map(|_| (random.random(), random.random())).collect();
    let longest = nanos(network.rtt) as f64;
    let rtt = |a: &(f64, f64), b: &(f64, f64)| {
        let distance = (a.0 - b.0).hypot(a.1 - b.1) / std::f64::consts::SQRT_2;
        (longest * distance).round() as Nanos
    };
    places.iter().flat_map(|a| places.iter().map(move |b| rtt(a, b))).collect()
}
