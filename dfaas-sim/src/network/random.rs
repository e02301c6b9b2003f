use rand::Rng;
use rand::seq::IndexedRandom as _;

use super::error::{amount, fraction};
use super::{Graph, NetworkError, Position};

/// How a random graph becomes connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connect {
    /// Not at all: it is as drawn.
    AsDrawn,
    /// Drawn again until it is; after so many attempts an error. Keeps the distribution of the connected graphs.
    Reject {
        /// Graphs to draw at most.
        attempts: usize,
    },
    /// Every node is first joined to one random node after it, so that every path ends at the last node. This is what
    /// the simulators of the original DFaaS do. A geometric graph takes the closest node after it instead.
    Forward,
    /// Parts of it are joined by one link each: a random one, or the shortest one in a geometric graph.
    Bridge,
}

/// An Erdős-Rényi graph G(n, p): every pair is joined with probability `p` (Gilbert, Random Graphs, 1959).
///
/// # Errors
/// [`NetworkError::Parameter`] if `p` is no probability; [`NetworkError::NotConnected`] after too many attempts.
pub fn erdos_renyi(
    nodes: usize,
    p: f64,
    connect: Connect,
    rng: &mut impl Rng,
) -> Result<Graph, NetworkError> {
    fraction("probability of a link", p)?;
    let draw = |graph: &mut Graph, rng: &mut dyn rand::RngCore| {
        for from in 0..nodes {
            for to in from + 1..nodes {
                if rng.random::<f64>() < p {
                    graph.link(from, to);
                }
            }
        }
    };
    let mut graph = Graph::without_links(nodes);
    match connect {
        Connect::AsDrawn => draw(&mut graph, rng),
        Connect::Reject { attempts } => {
            for _ in 0..attempts {
                graph = Graph::without_links(nodes);
                draw(&mut graph, rng);
                if graph.is_connected() {
                    return Ok(graph);
                }
            }
            return Err(NetworkError::NotConnected { attempts, nodes });
        }
        Connect::Forward => {
            for from in 0..nodes.saturating_sub(1) {
                graph.link(from, rng.random_range(from + 1..nodes));
            }
            draw(&mut graph, rng);
        }
        Connect::Bridge => {
            draw(&mut graph, rng);
            bridge(&mut graph, |near, far| Some((*near.choose(rng)?, *far.choose(rng)?)));
        }
    }
    Ok(graph)
}

/// A random geometric graph over given positions: nodes at most `radius` kilometres apart are joined (Gilbert, Random
/// Plane Networks, 1961). [`Connect::Reject`] has only these positions to try.
///
/// # Errors
/// [`NetworkError::Parameter`] if `radius` is negative or not finite; [`NetworkError::NotConnected`] if it must be
/// connected as drawn, and is not.
pub fn geometric(positions: &[Position], radius: f64, connect: Connect) -> Result<Graph, NetworkError> {
    amount("radius", radius)?;
    let nodes = positions.len();
    let distance = |from: usize, to: usize| positions[from].distance(positions[to]);
    let mut graph = Graph::without_links(nodes);
    for from in 0..nodes {
        for to in from + 1..nodes {
            if distance(from, to) <= radius {
                graph.link(from, to);
            }
        }
    }
    let closest = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
        pairs.min_by(|a, b| distance(a.0, a.1).total_cmp(&distance(b.0, b.1)))
    };
    match connect {
        Connect::AsDrawn => {}
        Connect::Reject { .. } if graph.is_connected() => {}
        Connect::Reject { .. } => return Err(NetworkError::NotConnected { attempts: 1, nodes }),
        Connect::Forward => {
            for from in 0..nodes {
                if let Some((from, to)) = closest(&mut (from + 1..nodes).map(|to| (from, to))) {
                    graph.link(from, to);
                }
            }
        }
        Connect::Bridge => bridge(&mut graph, |near, far| {
            closest(&mut near.iter().flat_map(|from| far.iter().map(|to| (*from, *to))))
        }),
    }
    Ok(graph)
}

/// Joins the parts of a graph one after the other, by the link that `choose` finds from what is joined to what is next.
fn bridge(graph: &mut Graph, mut choose: impl FnMut(&[usize], &[usize]) -> Option<(usize, usize)>) {
    let mut parts = graph.components().into_iter();
    let mut joined = parts.next().unwrap_or_default();
    for part in parts {
        if let Some((from, to)) = choose(&joined, &part) {
            graph.link(from, to);
        }
        joined.extend(part);
    }
}
