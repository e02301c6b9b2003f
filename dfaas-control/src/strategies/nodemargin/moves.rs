use std::collections::BTreeMap;

use super::heard::Heard;
use crate::id::{FunctionId, NodeId};
use crate::measurements::Measurements;
use crate::model::{Capacity, RESOURCES, Use};
use crate::strategies::plain::candidates;

/// Hundredths of each function that were moved to each peer.
pub(super) type Moves = BTreeMap<FunctionId, BTreeMap<NodeId, u32>>;

/// A function of which less is asked a second is not worth moving.
const LEAST: f64 = 0.01;

/// The node that is overloaded.
pub(super) struct Own<'a> {
    pub capacity: &'a Capacity,
    /// Percent of each resource that may be used.
    pub threshold: f64,
    /// What users ask for.
    pub rates: BTreeMap<FunctionId, f64>,
}

/// One function that may be moved.
struct Load {
    id: FunctionId,
    /// What a hundredth of it takes of each resource here.
    step: Use,
    /// The peers that have it, and by how much a hundredth of it raises their usage.
    peers: Vec<(NodeId, f64)>,
    /// Hundredths that are still here.
    left: u32,
}

/// Moves steps of 1 % of each function, round robin over (peer, function), until the node is no longer overloaded, or no
/// peer can take another step.
pub(super) fn moves(own: &Own<'_>, measured: &Measurements, heard: &Heard) -> Moves {
    let mut loads = loads(own, measured, heard);
    let mut margins: BTreeMap<NodeId, f64> =
        measured.peers.keys().map(|node| (*node, heard.margin(*node))).collect();
    let mut used = own.capacity.used(&own.rates);
    let mut moved = Moves::new();
    let over = |used: &Use| used.iter().any(|used| *used > own.threshold);
    let rounds = loads.iter().map(|load| load.peers.len()).max().unwrap_or(0);
    loop {
        let mut any = false;
        for turn in 0..rounds {
            for load in &mut loads {
                if !over(&used) {
                    return moved;
                }
                let Some((node, rise)) = load.peers.get(turn) else { continue };
                let Some(margin) = margins.get_mut(node) else { continue };
                // What takes nothing of what is scarce helps nobody.
                let helps = (0..RESOURCES).any(|r| used[r] > own.threshold && load.step[r] > 0.0);
                if load.left == 0 || *rise > *margin || !helps {
                    continue;
                }
                *margin -= rise;
                load.left -= 1;
                used.iter_mut().zip(load.step).for_each(|(used, step)| *used -= step);
                *moved.entry(load.id).or_default().entry(*node).or_default() += 1;
                any = true;
            }
        }
        if !any {
            return moved;
        }
    }
}

fn loads(own: &Own<'_>, measured: &Measurements, heard: &Heard) -> Vec<Load> {
    let load = |(id, rate): (&FunctionId, &f64)| {
        let function = measured.functions.get(id)?;
        if *rate < LEAST {
            return None;
        }
        let part = rate / 100.0;
        // A peer that never served it knows no cost: then it is expected to be what it is here.
        let here = 100.0 * own.capacity.cost(*id) / own.threshold;
        let rise = |node| part * heard.cost(node, *id).unwrap_or(here);
        let peers = candidates(*id, function, measured)
            .filter(|(node, _)| heard.margin(*node) > 0.0)
            .map(|(node, _)| (node, rise(node)))
            .collect();
        let step = own.capacity.costs(*id).map(|cost| part * cost);
        Some(Load { id: *id, step, peers, left: 100 })
    };
    own.rates.iter().filter_map(load).collect()
}
