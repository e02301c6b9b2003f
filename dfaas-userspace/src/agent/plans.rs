//! From the strategy's plan, in numbers, to the data plane's, in names.

use std::collections::BTreeMap;

use dfaas_control::{FunctionId, NodeId};

use super::roster::RosterPeer;
use crate::dataplane::{Admission, FunctionPlan, Peer, Target, Waits};

/// What is admitted from peers of a node that takes nothing.
pub(super) const NOTHING: Admission = Admission { inflight: 0, rate: 0.0, burst: 0.0, wait: None };

/// The plans of these functions, each under its name.
pub(super) fn named<'a>(
    plan: &dfaas_control::Plan,
    functions: impl Iterator<Item = &'a String>,
    peers: &[RosterPeer],
) -> BTreeMap<String, FunctionPlan> {
    let names: BTreeMap<NodeId, &str> = peers.iter().map(|peer| (peer.node, peer.name.as_str())).collect();
    functions
        .filter_map(|name| Some((name.clone(), plan.functions.get(&FunctionId::from_name(name))?)))
        .map(|(name, function)| {
            let shares =
                function.shares.parts().iter().map(|(target, part)| (target_name(*target, &names), *part));
            let plan = FunctionPlan {
                mode: function.mode,
                shares: merged(shares),
                local_first: function.local_first,
                peer_rate: peer_rate(&function.peer_rate, &names),
                local_inflight: function.local_inflight.unwrap_or(0),
                local_rate: function.local_rate.unwrap_or(0.0),
                local_wait: function.local_wait,
                peers_rate: function.peers_rate,
                work: function.work,
                overflow_above: function.overflow_above,
                overflow: function
                    .overflow
                    .iter()
                    .filter_map(|node| names.get(node).copied())
                    .map(str::to_owned)
                    .collect(),
                lifetime: plan.lifetime,
            };
            (name, plan)
        })
        .collect()
}

/// How long invocations wait at this node and at peers, by name.
pub(super) fn waits(plan: Option<&dfaas_control::Plan>, peers: &[RosterPeer]) -> Waits {
    let Some(plan) = plan else { return Waits::default() };
    let of_peer = |peer: &RosterPeer| Some((peer.name.clone(), *plan.waits.get(&peer.node)?));
    Waits { here: plan.here, peers: peers.iter().filter_map(of_peer).collect() }
}

/// The peers as the data plane wants them, with what the plan takes from each.
pub(super) fn admitted(plan: Option<&dfaas_control::Plan>, peers: &[RosterPeer]) -> Vec<Peer> {
    let peer = |peer: &RosterPeer| Peer {
        name: peer.name.clone(),
        address: peer.at.ip(),
        data_port: peer.at.port(),
        admission: plan.and_then(|plan| plan.admission.get(&peer.node)).copied(),
    };
    peers.iter().map(peer).collect()
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
        // Strategies name only nodes they were told of; the part of one that has gone meanwhile is served here.
        dfaas_control::Target::Peer(node) => {
            names.get(&node).map_or(Target::Local, |name| Target::Peer((*name).to_owned()))
        }
    }
}

/// Each target once: the parts of several that are gone, and that of this node, become one.
fn merged(shares: impl Iterator<Item = (Target, u32)>) -> Vec<(Target, u32)> {
    let mut merged: Vec<(Target, u32)> = Vec::new();
    for (target, part) in shares {
        match merged.iter_mut().find(|(other, _)| *other == target) {
            Some((_, sum)) => *sum += part,
            None => merged.push((target, part)),
        }
    }
    merged
}

/// Whether two plans say the same, whenever they expire.
pub(super) fn same(a: &FunctionPlan, b: &FunctionPlan) -> bool {
    FunctionPlan { lifetime: b.lifetime, ..a.clone() } == *b
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dfaas_control::{PeerFunctions, Shares, Target as Chosen};

    use super::*;

    fn peer(node: u64, name: &str) -> RosterPeer {
        RosterPeer {
            node: NodeId(node),
            name: name.to_owned(),
            at: "192.0.2.2:31601".parse().unwrap(),
            share: 1.0,
            takes: true,
            rtt: None,
            functions: PeerFunctions::Unknown,
            function_names: Vec::new(),
        }
    }

    #[test]
    fn the_parts_and_limits_of_nodes_that_are_gone_fall_to_this_node() {
        let weights = [(Chosen::Peer(NodeId(1)), 1.0), (Chosen::Peer(NodeId(2)), 1.0), (Chosen::Local, 2.0)];
        let mut figlet = dfaas_control::FunctionPlan::new(Shares::proportional(&weights).unwrap());
        figlet.peer_rate = [(NodeId(1), 5.0), (NodeId(2), 7.0)].into();
        figlet.overflow = vec![NodeId(2), NodeId(1)];
        let wait = dfaas_control::Wait { wait: Duration::from_millis(2), cores: 4.0, report: 7 };
        let admission =
            Admission { inflight: 3, rate: 5.0, burst: 5.0, wait: Some(Duration::from_millis(300)) };
        let plan = dfaas_control::Plan {
            functions: std::sync::Arc::new([(FunctionId::from_name("figlet"), figlet)].into()),
            admission: [(NodeId(1), admission)].into(),
            here: Some(wait),
            waits: [(NodeId(1), wait), (NodeId(2), wait)].into(),
            lifetime: Duration::from_secs(1),
        };
        let (peers, functions) = ([peer(1, "b")], ["figlet".to_owned(), "env".to_owned()]);
        let plans = named(&plan, functions.iter(), &peers);
        assert_eq!(plans.len(), 1, "a function without a plan gets none");
        assert_eq!(plans["figlet"].shares, [(Target::Peer("b".to_owned()), 16_384), (Target::Local, 49_152)]);
        assert_eq!(plans["figlet"].peer_rate, [("b".to_owned(), 5.0)].into());
        assert_eq!(plans["figlet"].overflow, ["b"]);
        let told = waits(Some(&plan), &peers);
        assert_eq!((told.here, told.peers), (Some(wait), [("b".to_owned(), wait)].into()));
        assert_eq!(admitted(Some(&plan), &peers)[0].admission, Some(admission));
        assert_eq!(admitted(None, &peers)[0].admission, None);
    }
}
