use super::Graph;

/// Every node is a neighbour of every other.
pub fn mesh(nodes: usize) -> Graph {
    // Of a ring that reaches half around, everybody.
    ring(nodes, nodes / 2)
}

/// Nodes on a ring, each joined to the `reach` next ones on either side.
pub fn ring(nodes: usize, reach: usize) -> Graph {
    let mut graph = Graph::without_links(nodes);
    for from in 0..nodes {
        for step in 1..=reach.min(nodes / 2) {
            let to = (from + step) % nodes;
            if to != from {
                graph.link(from, to);
            }
        }
    }
    graph
}

/// Node 0 in the middle, every other joined to it alone.
pub fn star(nodes: usize) -> Graph {
    let mut graph = Graph::without_links(nodes);
    for to in 1..nodes {
        graph.link(0, to);
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mesh_has_a_link_for_every_pair() {
        for nodes in 0..12 {
            let links: Vec<_> = mesh(nodes).links().collect();
            assert_eq!(links.len(), nodes * nodes.saturating_sub(1) / 2, "{nodes} nodes");
        }
    }

    #[test]
    fn on_a_ring_everybody_has_as_many_neighbours_and_paths_lead_around() {
        let graph = ring(10, 2);
        assert!((0..10).all(|node| graph.neighbours(node).len() == 4));
        assert_eq!(graph.neighbours(0), [1, 2, 8, 9]);
        assert_eq!(graph.hops(0)[5], Some(3));
        assert_eq!(ring(2, 1).links().collect::<Vec<_>>(), [(0, 1)]);
        assert_eq!(ring(1, 1).links().count(), 0);
    }

    #[test]
    fn in_a_star_all_meet_in_the_middle() {
        let graph = star(5);
        assert_eq!(graph.neighbours(0), [1, 2, 3, 4]);
        assert!((1..5).all(|node| graph.neighbours(node) == [0]));
    }
}
