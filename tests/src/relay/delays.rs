use std::time::Duration;

use anyhow::{Result, ensure};

/// The longest time that a frame is held: what [`super::held::Held`] keeps of a busy link fits its bounds.
const LONGEST: Duration = Duration::from_secs(5);

/// How long a frame is on its way, from each node to each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    nodes: usize,
    /// Row by row, from whom first.
    one_way: Vec<Duration>,
}

impl Delays {
    /// Half of the round-trip times, row by row, from whom first. Where the two directions of a pair differ, each has half
    /// of its own, and the round trip is their mean.
    ///
    /// # Errors
    /// If there is not one time for each pair, or one is longer than ten seconds.
    pub fn of_round_trips(nodes: usize, rtts: &[Duration]) -> Result<Self> {
        ensure!(
            rtts.len() == nodes * nodes,
            "{nodes} nodes need {} round-trip times, not {}",
            nodes * nodes,
            rtts.len()
        );
        for (place, rtt) in rtts.iter().enumerate() {
            let (from, to) = (place / nodes, place % nodes);
            ensure!(
                *rtt <= 2 * LONGEST,
                "the round trip from node {from} to node {to} takes {rtt:?}: at most 10 s"
            );
        }
        Ok(Self { nodes, one_way: rtts.iter().map(|rtt| *rtt / 2).collect() })
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// From one node, counted from 0, to another.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn between(&self, from: usize, to: usize) -> Duration {
        assert!(from < self.nodes && to < self.nodes, "{from} to {to} of {} nodes", self.nodes);
        self.one_way[from * self.nodes + to]
    }

    /// Whether nothing takes any time.
    pub fn are_none(&self) -> bool {
        self.one_way.iter().all(Duration::is_zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_direction_takes_half_of_its_own_round_trip() {
        let delays = Delays::of_round_trips(2, &[Duration::ZERO, 10 * MS, 14 * MS, Duration::ZERO]).unwrap();
        assert_eq!((delays.between(0, 1), delays.between(1, 0)), (5 * MS, 7 * MS));
        assert!(!delays.are_none());
        assert!(Delays::of_round_trips(1, &[Duration::ZERO]).unwrap().are_none());
    }

    #[test]
    fn what_is_no_matrix_or_too_far_is_refused_with_the_pair() {
        let error = |rtts: &[Duration]| Delays::of_round_trips(2, rtts).unwrap_err().to_string();
        assert_eq!(error(&[MS; 3]), "2 nodes need 4 round-trip times, not 3");
        assert!(
            error(&[MS, MS, 11_000 * MS, MS]).starts_with("the round trip from node 1 to node 0 takes 11s")
        );
    }
}
