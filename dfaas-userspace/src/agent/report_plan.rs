use serde::{Deserialize, Serialize};

/// `dfaas plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlansReport {
    /// Name of the strategy.
    pub strategy: String,
    /// By name of the function.
    pub plans: Vec<PlanReport>,
}

/// The plan of one function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    /// Canonical name.
    pub function: String,
    /// Invocations a second that this node's users asked for in the last period.
    pub user_rate: f64,
    /// Invocations a second that came from peers.
    pub peer_rate: f64,
    /// Invocations a second that were answered 429 or 503 here.
    pub reject_rate: f64,
    /// Whether the local limits are used up first, and only the rest is divided by the shares.
    pub local_first: bool,
    /// `smooth` or `share`.
    pub mode: String,
    /// Where invocations go.
    pub shares: Vec<ShareReport>,
    /// Most invocations a second served here; 0: no limit.
    pub local_rate: f64,
    /// Most connections at one time; 0: no limit.
    pub local_inflight: u32,
    /// Seconds of expected wait here beyond which nothing more of own users is served here; nothing: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_wait_seconds: Option<f64>,
    /// Peers that may take what exceeds the local limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<String>,
    /// Seconds of expected wait here beyond which they may; nothing: only at a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_above_seconds: Option<f64>,
    /// Most invocations a second taken from all peers together; nothing: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers_rate: Option<f64>,
    /// Seconds since it was written.
    pub age_seconds: f64,
    /// Seconds after writing when everything is served here again.
    pub lifetime_seconds: f64,
}

/// One part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareReport {
    /// `local`, `reject` or a peer's name.
    pub backend: String,
    /// Its part of 65,536.
    pub part: u32,
    /// Most invocations a second sent there; nothing: no limit, or the local one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<f64>,
}
