use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::id::{FunctionId, NodeId};

/// What the host knows at a tick. Rates are means since the previous tick; `None` means not measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measurements {
    /// This node.
    pub node: NodeMeasurements,
    /// Functions that this node serves or may forward.
    pub functions: BTreeMap<FunctionId, FunctionMeasurements>,
    /// Peers to which invocations may be sent now; one that is down is not here.
    pub peers: BTreeMap<NodeId, PeerMeasurements>,
}

impl Measurements {
    /// Becomes what `newer` is. From one tick to the next functions and peers are mostly the same, and so is what peers
    /// serve: only numbers are copied then.
    pub(crate) fn update(&mut self, newer: &Self) {
        self.node = newer.node;
        if self.functions.keys().eq(newer.functions.keys()) {
            self.functions.values_mut().zip(newer.functions.values()).for_each(|(old, new)| *old = *new);
        } else {
            self.functions = newer.functions.clone();
        }
        if self.peers.keys().eq(newer.peers.keys()) {
            self.peers.values_mut().zip(newer.peers.values()).for_each(|(old, new)| old.update(new));
        } else {
            self.peers = newer.peers.clone();
        }
    }
}

/// The machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NodeMeasurements {
    /// Processors that functions can use.
    pub cores: Option<f64>,
    /// Processors in use, by anything.
    pub cpu: Option<f64>,
    /// Memory that is still free, in bytes.
    pub memory_free: Option<u64>,
    /// All of its memory, in bytes.
    pub memory_total: Option<u64>,
}

/// One function at this node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FunctionMeasurements {
    /// Whether the local gateway has the function.
    pub here: bool,
    /// Whether it must never leave this node.
    pub local_only: bool,
    /// Invocations a second that this node's users asked for.
    pub user_rate: f64,
    /// Invocations a second that came from peers.
    pub peer_rate: f64,
    /// Invocations a second answered with 429 or 503 by the data plane.
    pub reject_rate: f64,
    /// Connections bound to the local gateway now.
    pub inflight: u64,
    /// Completed invocations a second at the local gateway.
    pub completion_rate: Option<f64>,
    /// Mean time the local gateway takes for one invocation.
    pub service_time: Option<Duration>,
    /// Mean time to the first byte of the local gateway's answer.
    pub first_byte: Option<Duration>,
    /// Processor time that one invocation takes here, by what its containers use.
    pub cpu_time: Option<Duration>,
    /// Instances that run here.
    pub replicas: Option<u32>,
    /// Most invocations a second that this node should serve, by label or configuration; `None`: no limit.
    pub max_rate: Option<f64>,
    /// Most connections bound to the local gateway at one time; `None`: no limit.
    pub max_inflight: Option<u32>,
    /// Time within which an answer is of use.
    pub deadline: Duration,
}

impl Default for FunctionMeasurements {
    fn default() -> Self {
        Self {
            here: true,
            local_only: false,
            user_rate: 0.0,
            peer_rate: 0.0,
            reject_rate: 0.0,
            inflight: 0,
            completion_rate: None,
            service_time: None,
            first_byte: None,
            cpu_time: None,
            replicas: None,
            max_rate: None,
            max_inflight: None,
            deadline: Duration::from_secs(1),
        }
    }
}

/// One peer as seen from this node.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerMeasurements {
    /// Weight given to it by configuration; finite and not negative.
    pub share: f64,
    /// Which functions it serves.
    pub functions: PeerFunctions,
    /// Round-trip time.
    pub rtt: Option<Duration>,
    /// Mean time to the first byte of its answers.
    pub first_byte: Option<Duration>,
    /// Invocations a second that were sent to it, refused ones among them.
    pub sent_rate: f64,
    /// Connections a second that were taken from it.
    pub taken_rate: f64,
    /// Connections a second that it refused.
    pub refusal_rate: f64,
    /// Connections a second that it reset after taking them.
    pub reset_rate: f64,
}

impl Default for PeerMeasurements {
    fn default() -> Self {
        Self {
            share: 1.0,
            functions: PeerFunctions::Unknown,
            rtt: None,
            first_byte: None,
            sent_rate: 0.0,
            taken_rate: 0.0,
            refusal_rate: 0.0,
            reset_rate: 0.0,
        }
    }
}

/// Which functions a peer serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerFunctions {
    /// Nobody tells (peers from a configuration file): it is taken to have every function that this node has.
    Unknown,
    /// It told us.
    Known(BTreeSet<FunctionId>),
}

impl PeerMeasurements {
    fn update(&mut self, newer: &Self) {
        if self.functions != newer.functions {
            self.functions = newer.functions.clone();
        }
        let functions = std::mem::replace(&mut self.functions, PeerFunctions::Unknown);
        *self = Self { functions, ..*newer };
    }

    /// Whether invocations of `id` may be sent to this peer, `here` telling whether this node has the function.
    pub fn serves(&self, id: FunctionId, here: bool) -> bool {
        match &self.functions {
            PeerFunctions::Unknown => here,
            PeerFunctions::Known(ids) => ids.contains(&id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_measurements() -> impl Strategy<Value = Measurements> {
        let function = (0_u64..4, any::<bool>(), 0_u64..9);
        let served =
            proptest::option::of(proptest::collection::btree_set((0_u64..4).prop_map(FunctionId), 0..3));
        let peer = (0_u64..4, served, 0_u64..9);
        let (functions, peers) =
            (proptest::collection::vec(function, 0..4), proptest::collection::vec(peer, 0..4));
        (functions, peers, 0_u64..9).prop_map(|(functions, peers, cores)| {
            let function = |(id, here, inflight)| {
                (FunctionId(id), FunctionMeasurements { here, inflight, ..FunctionMeasurements::default() })
            };
            let peer = |(id, served, rate): (_, Option<_>, _)| {
                let functions = served.map_or(PeerFunctions::Unknown, PeerFunctions::Known);
                (
                    NodeId(id),
                    PeerMeasurements { functions, sent_rate: rate as f64, ..PeerMeasurements::default() },
                )
            };
            Measurements {
                node: NodeMeasurements { cores: Some(cores as f64), ..NodeMeasurements::default() },
                functions: functions.into_iter().map(function).collect(),
                peers: peers.into_iter().map(peer).collect(),
            }
        })
    }

    proptest! {
        #[test]
        fn whatever_was_measured_before_an_update_leaves_nothing_of_it(
            mut old in any_measurements(), new in any_measurements(),
        ) {
            old.update(&new);
            prop_assert_eq!(old, new);
        }
    }
}
