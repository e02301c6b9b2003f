use super::NetworkError;

/// Which nodes are neighbours: an undirected graph without loops over nodes `0..len()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// For each node its neighbours, in order.
    neighbours: Vec<Vec<usize>>,
}

impl Graph {
    /// `nodes` nodes without a link.
    pub fn without_links(nodes: usize) -> Self {
        Self { neighbours: vec![Vec::new(); nodes] }
    }

    /// A graph of given links; repeated ones count once.
    ///
    /// # Errors
    /// [`NetworkError::Link`] if a link names a node that does not exist, or joins a node to itself.
    pub fn from_links(
        nodes: usize,
        links: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Self, NetworkError> {
        let mut graph = Self::without_links(nodes);
        for (from, to) in links {
            if from == to || from >= nodes || to >= nodes {
                return Err(NetworkError::Link { from, to, last: nodes.saturating_sub(1) });
            }
            graph.link(from, to);
        }
        Ok(graph)
    }

    /// Joins two different nodes of the graph; whether they were not joined before.
    pub(super) fn link(&mut self, from: usize, to: usize) -> bool {
        debug_assert_ne!(from, to, "no node is its own neighbour");
        let Err(place) = self.neighbours[from].binary_search(&to) else { return false };
        self.neighbours[from].insert(place, to);
        if let Err(place) = self.neighbours[to].binary_search(&from) {
            self.neighbours[to].insert(place, from);
        }
        true
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.neighbours.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// The neighbours of `node`, in order; none if there is no such node.
    pub fn neighbours(&self, node: usize) -> &[usize] {
        self.neighbours.get(node).map_or(&[], Vec::as_slice)
    }

    /// Whether two nodes are neighbours.
    pub fn is_linked(&self, from: usize, to: usize) -> bool {
        self.neighbours(from).binary_search(&to).is_ok()
    }

    /// Each link once, the smaller end first, in order.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let from = |from: usize| {
            self.neighbours(from).iter().filter(move |to| **to > from).map(move |to| (from, *to))
        };
        (0..self.len()).flat_map(from)
    }

    /// Hops from `node` to every node, `None` where no path leads.
    pub fn hops(&self, node: usize) -> Vec<Option<usize>> {
        let mut hops = vec![None; self.len()];
        let Some(start) = hops.get_mut(node) else { return hops };
        *start = Some(0);
        let (mut front, mut found) = (vec![node], 1);
        for distance in 1.. {
            let mut next = Vec::new();
            for to in front.iter().flat_map(|at| self.neighbours(*at)) {
                if hops[*to].is_none() {
                    hops[*to] = Some(distance);
                    next.push(*to);
                }
            }
            found += next.len();
            if next.is_empty() || found == self.len() {
                break;
            }
            front = next;
        }
        hops
    }

    /// The parts that no path joins, each in order, by their first node.
    pub fn components(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.len()];
        let mut parts = Vec::new();
        for node in 0..self.len() {
            if !seen[node] {
                let hops = self.hops(node);
                let part: Vec<usize> = (0..self.len()).filter(|at| hops[*at].is_some()).collect();
                part.iter().for_each(|at| seen[*at] = true);
                parts.push(part);
            }
        }
        parts
    }

    /// Whether a path leads from every node to every other.
    pub fn is_connected(&self) -> bool {
        self.hops(0).iter().all(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_four_nodes_and_one_apart_are_two_components() {
        let graph = Graph::from_links(5, [(1, 0), (1, 2), (2, 3), (2, 1)]).unwrap();
        assert_eq!(graph.links().collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(graph.neighbours(1), [0, 2]);
        assert_eq!(graph.hops(0), [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!(graph.components(), [vec![0, 1, 2, 3], vec![4]]);
        assert!(!graph.is_connected());
    }

    #[test]
    fn links_to_nobody_and_to_oneself_are_refused() {
        for link in [(0, 3), (3, 0), (1, 1)] {
            assert!(Graph::from_links(3, [link]).is_err(), "{link:?}");
        }
        assert!(Graph::without_links(0).is_connected());
    }
}
