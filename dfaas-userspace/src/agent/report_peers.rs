use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// `dfaas peers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeersReport {
    /// The identity of this node; nothing without an overlay.
    pub id: Option<String>,
    /// Those of the configuration in its order, then those of the overlay by name.
    pub peers: Vec<PeerReport>,
}

/// One node that is a peer, or on its way to be one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerReport {
    /// Its name.
    pub name: String,
    /// Where this node knows it from: `static` or `overlay`.
    pub source: String,
    /// Its identity; nothing for static peers.
    pub id: Option<String>,
    /// Its region; may be empty.
    pub region: String,
    /// Whether invocations may be sent to it.
    pub usable: bool,
    /// How it is, in words; why it is not usable if it is not.
    pub state: String,
    /// Address of its data port, if it is known for certain.
    pub address: Option<IpAddr>,
    /// Its data port.
    pub data_port: Option<u16>,
    /// Its weight among the peers.
    pub share: f64,
    /// Round-trip time in milliseconds.
    pub rtt_ms: Option<f64>,
    /// Seconds since its last beat.
    pub beat_age_seconds: Option<f64>,
    /// Functions that it serves; nothing for static peers, which do not tell.
    pub functions: Option<Vec<String>>,
    /// 1: nothing wrong with what it sends; 0: about to be shut out.
    pub standing: Option<f64>,
    /// Invocations a second that are taken from it; nothing: no limit.
    pub admission_rate: Option<f64>,
    /// Invocations sent to it since the data plane was loaded.
    pub invocations: u64,
    /// Connections bound to it now.
    pub inflight: u64,
    /// Connections that it refused, left unanswered, or reset after taking them.
    pub refused: u64,
    /// See `refused`.
    pub silent: u64,
    /// See `refused`.
    pub reset: u64,
    /// Connections of it that were taken here.
    pub accepted: u64,
    /// Connections of it that were refused here.
    pub denied: u64,
}
