//! From the strategy's plan, in numbers, to the data plane's, in names.

use std::collections::BTreeMap;

use dfaas_control::{FunctionId, NodeId};

use crate::config::StaticPeer;
use crate::dataplane::{FunctionPlan, Target};
use crate::discovery::Catalogue;

/// The plans of the functions that are known, each under its canonical name.
pub(super) fn named(
    plan: &dfaas_control::Plan,
    catalogue: &Catalogue,
    peers: &[StaticPeer],
) -> BTreeMap<String, FunctionPlan> {
    let names: BTreeMap<NodeId, &str> =
        peers.iter().map(|peer| (NodeId::from_name(&peer.name), peer.name.as_str())).collect();
    let known = catalogue.functions.keys();
    known
        .filter_map(|name| Some((name.clone(), plan.functions.get(&FunctionId::from_name(name))?)))
        .map(|(name, function)| {
            let shares =
                function.shares.parts().iter().map(|(target, part)| (target_name(*target, &names), *part));
            let plan = FunctionPlan {
                mode: function.mode,
                shares: shares.collect(),
                local_first: function.local_first,
                peer_rate: peer_rate(&function.peer_rate, &names),
                local_inflight: function.local_inflight.unwrap_or(0),
                local_rate: function.local_rate.unwrap_or(0.0),
                lifetime: plan.lifetime,
            };
            (name, plan)
        })
        .collect()
}

/// Limits by the names of peers; one of a node that is no peer any more limits nothing.
fn peer_rate(rates: &BTreeMap<NodeId, f64>, names: &BTreeMap<NodeId, &str>) -> BTreeMap<String, f64> {
    let named = rates.iter().filter_map(|(node, rate)| Some(((*names.get(node)?).to_owned(), *rate)));
    named.collect()
}

fn target_name(target: dfaas_control::Target, names: &BTreeMap<NodeId, &str>) -> Target {
    match target {
        dfaas_control::Target::Local => Target::Local,
        dfaas_control::Target::Reject => Target::Reject,
        // Strategies name only nodes they were told of; should one not, its part is served here.
        dfaas_control::Target::Peer(node) => {
            names.get(&node).map_or(Target::Local, |name| Target::Peer((*name).to_owned()))
        }
    }
}

/// Whether two plans say the same, whenever they expire.
pub(super) fn same(a: &FunctionPlan, b: &FunctionPlan) -> bool {
    FunctionPlan { lifetime: b.lifetime, ..a.clone() } == *b
}
