use std::collections::BTreeMap;
use std::sync::Arc;
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
    /// Every function that is steered; one that is missing is served locally. Plans that differ in nothing here share it.
    pub functions: Arc<BTreeMap<FunctionId, FunctionPlan>>,
    /// What is admitted from each peer; a peer that is missing has no limit.
    pub admission: BTreeMap<NodeId, Admission>,
    /// How long invocations wait here; what is under way here is added to it.
    pub here: Option<Wait>,
    /// How long they wait at peers; overflow knows nothing of one that is missing and sends it nothing.
    pub waits: BTreeMap<NodeId, Wait>,
    /// Time after writing when the plan expires and everything is served locally.
    pub lifetime: Duration,
}

impl Plan {
    /// Plans of functions, without limits to what peers may send.
    pub fn new(functions: BTreeMap<FunctionId, FunctionPlan>, lifetime: Duration) -> Self {
        let functions = Arc::new(functions);
        Self { functions, admission: BTreeMap::new(), here: None, waits: BTreeMap::new(), lifetime }
    }
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
    /// Expected wait here beyond which no invocation of own users is served locally; `None`: no limit.
    pub local_wait: Option<Duration>,
    /// Most invocations a second sent to each peer; a peer that is missing has no limit.
    pub peer_rate: BTreeMap<NodeId, f64>,
    /// Most invocations a second that are taken from all peers together.
    pub peers_rate: Option<f64>,
    /// Processor time that one invocation is expected to take; zero: unknown, and then it adds nothing to any wait.
    pub work: Duration,
    /// Expected wait here beyond which one of `overflow` may take an invocation; `None`: only once a local limit is
    /// reached.
    pub overflow_above: Option<Duration>,
    /// Peers that may take what exceeds that; of two drawn at random the one with the shorter expected wait, if that
    /// beats the wait here.
    pub overflow: Vec<NodeId>,
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
            local_wait: None,
            peer_rate: BTreeMap::new(),
            peers_rate: None,
            work: Duration::ZERO,
            overflow_above: None,
            overflow: Vec::new(),
        }
    }
}

/// How long an invocation waits at a node, as it said last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wait {
    /// Wait of an invocation that reached it then; of a peer, the way there and back is part of it.
    pub wait: Duration,
    /// Processors that do what is sent there: the work of what has been sent since adds to the wait, divided by this.
    pub cores: f64,
    /// Changes when the node has said it anew: what is sent from then on is added.
    pub report: u64,
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
    /// Expected wait here beyond which none is taken, so that the peer turns elsewhere; `None`: no limit.
    pub wait: Option<Duration>,
}
