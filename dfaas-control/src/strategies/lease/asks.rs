use std::collections::BTreeMap;

use super::prices::Prices;
use crate::id::{FunctionId, NodeId};

/// What is asked for is more than what is needed by this factor: needs grow, and grants are an answer later.
const AMPLE: f64 = 1.15;

/// Invocations of a function that are to leave this node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Want {
    pub function: FunctionId,
    /// Invocations a second.
    pub rate: f64,
}

/// A peer that can be asked; the nearest is asked first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbour<'a> {
    pub node: NodeId,
    /// What it holds free, and what it has granted to this node (processors).
    pub available: f64,
    /// What it can give to all.
    pub headroom: f64,
    /// How far it is believed, from 0 to 1.
    pub trust: f64,
    /// What an invocation of each function that is to leave costs there.
    pub costs: &'a Prices,
}

/// What each neighbour is asked for, in its own processors: from the first as much as it has free, then from the next. If
/// that is not enough, all are asked for their part of what is missing, though others hold it: grantors divide fairly.
/// Nobody is asked for a larger part than it is trusted with.
pub(super) fn asks(wants: &[Want], neighbours: &[Neighbour<'_>]) -> BTreeMap<NodeId, f64> {
    let mut asked = vec![0.0; neighbours.len()];
    let mut parts: Vec<Option<(f64, f64)>> = Vec::with_capacity(neighbours.len());
    let mut left: Vec<(f64, f64)> = neighbours.iter().map(|n| (n.available, n.headroom)).collect();
    for (index, want) in wants.iter().enumerate() {
        let whole = want.rate * AMPLE;
        let mut missing = whole;
        for ((neighbour, asked), (available, headroom)) in neighbours.iter().zip(&mut asked).zip(&mut left) {
            let Some(cost) = neighbour.costs.of(index) else { continue };
            let rate = missing.min(available.min(*headroom) / cost).min(whole * neighbour.trust).max(0.0);
            *asked += rate * cost;
            *available -= rate * cost;
            *headroom -= rate * cost;
            missing -= rate;
        }
        if missing <= whole * 1e-6 {
            continue;
        }
        let more = |(neighbour, (_, headroom)): (&Neighbour<'_>, &(f64, f64))| {
            let cost = neighbour.costs.of(index)?;
            Some((headroom.max(0.0) / cost, cost))
        };
        parts.clear();
        parts.extend(neighbours.iter().zip(&left).map(more));
        let room: f64 = parts.iter().flatten().map(|(rate, _)| rate).sum();
        for (((neighbour, asked), part), (_, headroom)) in
            neighbours.iter().zip(&mut asked).zip(&parts).zip(&mut left)
        {
            if let Some((rate, cost)) = part.filter(|(rate, _)| *rate > 0.0) {
                let rate = (missing * (rate / room)).min(rate).min(whole * neighbour.trust);
                *asked += rate * cost;
                *headroom -= rate * cost;
            }
        }
    }
    neighbours.iter().map(|neighbour| neighbour.node).zip(asked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const F: FunctionId = FunctionId(7);

    fn neighbour(node: u64, available: f64, headroom: f64, costs: &Prices) -> Neighbour<'_> {
        Neighbour { node: NodeId(node), available, headroom, trust: 1.0, costs }
    }

    fn costs(cost: f64) -> Prices {
        [Some(cost)].into_iter().collect()
    }

    fn asked(rate: f64, neighbours: &[Neighbour<'_>]) -> Vec<f64> {
        asks(&[Want { function: F, rate }], neighbours).into_values().collect()
    }

    #[test]
    fn the_nearest_is_asked_first_and_in_its_own_processors() {
        let (quick, slow) = (costs(0.1), costs(0.2));
        let two = [neighbour(1, 1.0, 1.0, &quick), neighbour(2, 4.0, 4.0, &slow)];
        // 8 a second with 1.15 are 9.2 of the first; 20 are 23: 10 at the first, 13 at the second.
        assert_eq!(
            asked(8.0, &two).iter().map(|ask| ask * 100.0).map(f64::round).collect::<Vec<_>>(),
            [92.0, 0.0]
        );
        let asks = asked(20.0, &two);
        assert!((asks[0] - 1.0).abs() < 1e-9 && (asks[1] - 2.6).abs() < 1e-9, "{asks:?}");
        assert_eq!(asked(0.0, &two), [0.0, 0.0]);
    }

    #[test]
    fn what_nobody_has_free_is_asked_of_all_that_give() {
        let costs = costs(0.1);
        let two = [neighbour(1, 0.0, 2.0, &costs), neighbour(2, 1.0, 2.0, &costs)];
        // 23 a second: 10 of what is free, and 13 of the 20 and 10 that others hold.
        let asks = asked(20.0, &two);
        assert!((asks[0] - 13.0 / 30.0 * 2.0).abs() < 1e-9, "{asks:?}");
        assert!((asks[1] - 1.0 - 13.0 / 30.0).abs() < 1e-9, "{asks:?}");
    }

    #[test]
    fn who_is_not_trusted_is_asked_for_little_whatever_it_claims() {
        let costs = costs(0.1);
        let liar = Neighbour { trust: 0.05, ..neighbour(1, 65_536.0, 65_536.0, &costs) };
        let asks = asked(100.0, &[liar, neighbour(2, 20.0, 20.0, &costs)]);
        assert!(asks[0] < 1.2 && asks[1] > 10.0, "{asks:?}");
    }

    #[test]
    fn who_does_not_have_a_function_is_not_asked_for_it() {
        assert_eq!(asked(10.0, &[neighbour(1, 9.0, 9.0, &[None].into_iter().collect())]), [0.0]);
    }

    proptest! {
        #[test]
        fn nobody_is_asked_for_more_than_it_says_it_has(
            rates in proptest::collection::vec(0.0_f64..1e4, 1..4),
            of in proptest::collection::vec((0.0_f64..10.0, 0.0_f64..10.0, 0.05_f64..1.0, 1e-6_f64..10.0), 0..8),
        ) {
            let wants: Vec<Want> = (0..).zip(&rates).map(|(f, rate)| Want { function: FunctionId(f), rate: *rate }).collect();
            let costs: Vec<Prices> = of.iter().map(|(.., cost)| wants.iter().map(|_| Some(*cost)).collect()).collect();
            let neighbours: Vec<Neighbour<'_>> = (0..).zip(&of).zip(&costs).map(|((node, (free, taken, trust, _)), costs)| Neighbour {
                node: NodeId(node),
                available: *free,
                headroom: free + taken,
                trust: *trust,
                costs,
            }).collect();
            for (node, ask) in asks(&wants, &neighbours) {
                let most = neighbours.iter().find(|n| n.node == node).unwrap().headroom;
                prop_assert!(ask >= 0.0 && ask <= most * (1.0 + 1e-9) + 1e-9, "{ask} of {most}");
            }
        }
    }
}
