use rand::Rng;
use rand::seq::IteratorRandom as _;

use super::{Graph, RttMatrix};

/// Every node chooses its `near` nearest peers and `random` others; a link holds for both ends, so that some nodes have
/// more. Far links carry load out of a hot region, which near ones alone cannot.
///
/// Where two peers are equally near, the smaller index is nearer.
pub fn near_and_random(rtt: &RttMatrix, near: usize, random: usize, rng: &mut impl Rng) -> Graph {
    let nodes = rtt.len();
    let mut graph = Graph::without_links(nodes);
    for from in 0..nodes {
        let mut peers: Vec<usize> = (0..nodes).filter(|to| *to != from).collect();
        peers.sort_by(|a, b| rtt.get(from, *a).total_cmp(&rtt.get(from, *b)).then(a.cmp(b)));
        let far = peers.split_off(near.min(peers.len()));
        for to in peers.into_iter().chain(far.into_iter().choose_multiple(rng, random)) {
            graph.link(from, to);
        }
    }
    graph
}
