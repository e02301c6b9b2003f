use serde::Serialize;

use super::{Graph, Network};

/// Smallest, mean, typical and largest of some numbers; all zero if there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The median (nearest rank).
    pub median: f64,
    /// What 95 of 100 do not exceed (nearest rank).
    pub p95: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of finite numbers.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (numbers.first(), numbers.last()) else { return Self::default() };
        let rank = |part: f64| numbers[((part * numbers.len() as f64).ceil() as usize).max(1) - 1];
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        Self { min: *min, mean, median: rank(0.5), p95: rank(0.95), max: *max }
    }
}

/// What characterises a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkStatistics {
    /// Nodes.
    pub nodes: usize,
    /// Links, each counted once.
    pub links: usize,
    /// Parts that no path joins; 1 in a connected network.
    pub components: usize,
    /// Neighbours of a node.
    pub degree: Spread,
    /// The longest shortest path, in hops, among nodes that a path joins.
    pub diameter: usize,
    /// The mean shortest path, in hops, among pairs of nodes that a path joins.
    pub mean_hops: f64,
    /// Mean over the nodes of the share of pairs of neighbours that are neighbours too; zero for a node with fewer than
    /// two (Watts and Strogatz, Nature 393, 1998).
    pub clustering: f64,
    /// Round-trip times of the links, in both directions, in seconds.
    pub link_rtt_s: Spread,
    /// Round-trip times of all pairs, in both directions, in seconds.
    pub pair_rtt_s: Spread,
    /// Cores of a node.
    pub cores: Spread,
}

impl NetworkStatistics {
    /// Measures a network. Takes time in proportion to nodes times links.
    pub fn of(network: &Network) -> Self {
        let (graph, rtt) = (network.graph(), network.rtt());
        let nodes = graph.len();
        let (mut diameter, mut hops, mut paths) = (0, 0, 0_u64);
        for from in 0..nodes {
            for distance in graph.hops(from).into_iter().flatten().filter(|hops| *hops > 0) {
                (diameter, hops, paths) = (distance.max(diameter), hops + distance as u64, paths + 1);
            }
        }
        let both = |(from, to)| [rtt.get(from, to), rtt.get(to, from)];
        let pairs = (0..nodes).flat_map(|from| (from + 1..nodes).map(move |to| (from, to)));
        Self {
            nodes,
            links: graph.links().count(),
            components: graph.components().len(),
            degree: Spread::of((0..nodes).map(|node| graph.neighbours(node).len() as f64)),
            diameter,
            mean_hops: if paths > 0 { hops as f64 / paths as f64 } else { 0.0 },
            clustering: Spread::of(clustering(graph)).mean,
            link_rtt_s: Spread::of(graph.links().flat_map(both)),
            pair_rtt_s: Spread::of(pairs.flat_map(both)),
            cores: Spread::of(network.nodes().iter().map(|node| f64::from(node.cores))),
        }
    }
}

/// For each node the share of the pairs of its neighbours that are neighbours too.
fn clustering(graph: &Graph) -> Vec<f64> {
    // A bit for each neighbour: dense graphs of thousands of nodes take seconds and not hours.
    let words = graph.len().div_ceil(64);
    let mut rows = vec![vec![0_u64; words]; graph.len()];
    for (from, to) in graph.links() {
        rows[from][to / 64] |= 1 << (to % 64);
        rows[to][from / 64] |= 1 << (from % 64);
    }
    let common =
        |a: usize, b: usize| -> u32 { rows[a].iter().zip(&rows[b]).map(|(a, b)| (a & b).count_ones()).sum() };
    (0..graph.len())
        .map(|node| {
            let neighbours = graph.neighbours(node);
            let pairs = neighbours.len() * neighbours.len().saturating_sub(1);
            let closed: u32 = neighbours.iter().map(|at| common(node, *at)).sum();
            if pairs > 0 { f64::from(closed) / pairs as f64 } else { 0.0 }
        })
        .collect()
}
