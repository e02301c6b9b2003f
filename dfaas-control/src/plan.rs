use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{FunctionId, NodeId};
use crate::shares::Shares;

/// How a target is drawn from the shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PickMode {
    /// Independent random draws.
    Share,
    /// Smooth weighted round robin: evenly spaced.
    #[default]
    Smooth,
}

/// What the data plane is to do until the next plan, or until this one expires.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Every function that is steered; one that is missing is served locally.
    pub functions: BTreeMap<FunctionId, FunctionPlan>,
    /// What is admitted from each peer; a peer that is missing has no limit.
    pub admission: BTreeMap<NodeId, Admission>,
    /// Time after writing when the plan expires and everything is served locally.
    pub lifetime: Duration,
}

/// The plan of one function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionPlan {
    /// How a target is drawn.
    pub mode: PickMode,
    /// Where invocations go.
    pub shares: Shares,
    /// Serve locally as long as the local limits allow; only the rest is drawn from the shares.
    pub local_first: bool,
    /// Most connections bound to the local gateway at one time.
    pub local_inflight: Option<u32>,
    /// Most invocations a second served locally.
    pub local_rate: Option<f64>,
    /// Most invocations a second sent to each peer; a peer that is missing has no limit.
    pub peer_rate: BTreeMap<NodeId, f64>,
    /// Peers that may take what the local limits refuse.
    pub overflow: Vec<Overflow>,
}

impl FunctionPlan {
    /// A plan with these shares and no limits.
    pub fn new(shares: Shares) -> Self {
        Self {
            mode: PickMode::default(),
            shares,
            local_first: false,
            local_inflight: None,
            local_rate: None,
            peer_rate: BTreeMap::new(),
            overflow: Vec::new(),
        }
    }
}

/// A candidate for what exceeds the local limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow {
    /// The peer.
    pub node: NodeId,
    /// Time that an invocation is expected to wait there.
    pub wait: Duration,
}

/// What is taken from one peer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Admission {
    /// Most connections at one time.
    pub inflight: u32,
    /// Connections a second.
    pub rate: f64,
    /// Connections that may come at once.
    pub burst: f64,
}
