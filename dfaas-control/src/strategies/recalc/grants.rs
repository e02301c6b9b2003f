use std::collections::BTreeMap;

use super::demand::Demand;
use super::plans::UNASKED;
use super::received::Received;
use crate::command::Offer;
use crate::factory::RecalcSplit;
use crate::id::NodeId;
use crate::measurements::Measurements;
use crate::plan::Admission;

/// Admission is wider than the grants by this factor: invocations bunch on their way, and a plan in force may be a
/// hundredth off until the next tick.
const SLACK: f64 = 1.1;

/// Connections that may come at once on top of a second's worth of each grant.
const BUNCH: f64 = 3.0;

/// What to say to each peer: an entry for each function that takes part, in the order of their numbers.
pub(super) fn offers(
    split: RecalcSplit,
    measured: &Measurements,
    demand: &Demand,
    received: &Received,
) -> BTreeMap<NodeId, Vec<Offer>> {
    let mut said: BTreeMap<NodeId, Vec<Offer>> =
        measured.peers.keys().map(|node| (*node, Vec::new())).collect();
    for (function, load) in demand.loads() {
        let here = measured.functions.get(&function).is_some_and(|function| function.here);
        if !here && !load.overloaded {
            continue;
        }
        let overloaded = |node: &NodeId| received.overloaded(*node, function);
        let only_overloaded = split == RecalcSplit::Overloaded && measured.peers.keys().any(overloaded);
        // Who has overload for a function wants it, also if it does not have it itself.
        let gets = |node: &NodeId| match measured.peers.get(node) {
            Some(peer) => overloaded(node) || (!only_overloaded && peer.serves(function, here)),
            None => false,
        };
        let among = measured.peers.keys().filter(|node| gets(node)).count();
        let limit = part(load.margin(), among);
        for (node, offers) in &mut said {
            let limit = if gets(node) { limit } else { 0.0 };
            offers.push(Offer { function, overloaded: load.overloaded, limit });
        }
    }
    said
}

/// The even part of `margin` for each of `among`, rounded so that all together are not more than the margin.
fn part(margin: f64, among: usize) -> f32 {
    if among == 0 {
        return 0.0;
    }
    let among = among as f64;
    let mut part = (margin / among) as f32;
    // The product is exact: 24 bits of a float and those of a small count fit a double.
    while f64::from(part) * among > margin {
        part = part.next_down();
    }
    part
}

/// What is taken from a peer that was told these limits: their sum with a tenth on top, and a little unasked, at one
/// time a second's worth, at least one of each function, and three more. So a peer that keeps to its limits, which may
/// send a second's worth at once too, is not refused.
pub(super) fn admission(offers: &[Offer]) -> Admission {
    let granted = offers.iter().map(|offer| f64::from(offer.limit)).filter(|limit| *limit > 0.0);
    let rate: f64 = granted.clone().sum();
    let burst: f64 = granted.map(|limit| limit.max(1.0)).sum();
    Admission { inflight: u32::MAX, rate: rate * SLACK + UNASKED, burst: burst * SLACK + BUNCH, wait: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::FunctionId;
    use proptest::prelude::*;

    fn offer(overloaded: bool, limit: f32) -> Offer {
        Offer { function: FunctionId(7), overloaded, limit }
    }

    #[test]
    fn a_peer_without_a_grant_gets_a_small_admission() {
        let none = Admission { inflight: u32::MAX, rate: 0.5, burst: 3.0, wait: None };
        assert_eq!(admission(&[]), none);
        assert_eq!(admission(&[offer(true, 0.0)]), none);
        let some = admission(&[offer(false, 16.0), offer(false, 0.5)]);
        assert!((some.rate - 18.65).abs() < 1e-9 && (some.burst - 21.7).abs() < 1e-9, "{some:?}");
    }

    proptest! {
        #[test]
        fn even_parts_never_exceed_the_margin(margin in 0.0_f64..1e300, among in 0_usize..5_000) {
            let part = f64::from(part(margin, among));
            prop_assert!(part >= 0.0 && part * among as f64 <= margin);
            if among > 0 && margin > 1e-30 && margin / (among as f64) < f64::from(f32::MAX) {
                prop_assert!(part >= margin / among as f64 * (1.0 - 1e-6));
            }
        }
    }
}
