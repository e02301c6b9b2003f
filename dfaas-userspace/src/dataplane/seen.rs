//! What can be seen of single invocations and connections, by the names of operators.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// An invocation that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// When it was over: seconds since 1970, UTC.
    pub time: f64,
    /// Canonical name of the function; `""`: it was no invocation of a known function.
    pub function: String,
    /// Name of the peer that sent it; nothing if a user of this node did.
    pub peer: Option<String>,
    /// Who called: the user, or the peer's own address and source port.
    pub client: SocketAddr,
    /// `local`, `reject` or the name of a peer.
    pub backend: String,
    /// Name of the gateway of this node that served it, if that is not the own one at the listen addresses.
    pub gateway: Option<String>,
    /// Where it was served; nothing if it was answered here.
    pub server: Option<SocketAddr>,
    /// How the backend was chosen: `first`, `retried`, `stayed`, `moved`, `native` or `overflowed`.
    pub way: String,
    /// Status of the answer; nothing if none could be read.
    pub status: Option<u16>,
    /// Milliseconds from the request to the first byte of the answer; nothing if none came, or it was answered here.
    pub first_byte_ms: Option<f64>,
    /// Milliseconds from the request to its end.
    pub took_ms: f64,
    /// Bytes of the request, its head included.
    pub bytes_to_backend: u64,
    /// Bytes of the answer, its head included.
    pub bytes_to_client: u64,
    /// What ended it: `answered`, `rejected`, `closed`, `client_reset`, `backend_reset`, `refused` or `forgotten`.
    pub end: String,
    /// Whether the ends of messages on its connection were not certain: then all that followed on it is part of it.
    pub pinned: bool,
}

/// Invocations that were taken from the data plane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// Those that were told, in the order in which they were over.
    pub seen: Vec<Seen>,
    /// Those that were to be told, but for which there was no room, since the last time.
    pub lost: u64,
}

/// A connection that the data plane knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowView {
    /// Canonical name of the function of its last request; `""`: that is no invocation of a known function.
    pub function: String,
    /// Name of the peer that opened it; nothing if a user did.
    pub peer: Option<String>,
    /// Who opened it.
    pub client: SocketAddr,
    /// Where it came in.
    pub listen: SocketAddr,
    /// `local`, `reject` or the name of a peer.
    pub backend: String,
    /// Name of the gateway of this node that it is bound to, if that is not the own one at the listen addresses.
    pub gateway: Option<String>,
    /// Where that is; nothing if it was answered here.
    pub server: Option<SocketAddr>,
    /// `claimed`, `opening`, `established`, `rejected`, `forwarded` or `dead`.
    pub state: String,
    /// Seconds since its first packet.
    pub age_seconds: f64,
    /// Seconds since its last packet.
    pub idle_seconds: f64,
    /// Requests on it whose ends are known.
    pub requests: u32,
    /// Whether an invocation is under way on it.
    pub busy: bool,
    /// Bytes of requests that no counter has yet.
    pub bytes_to_backend: u64,
    /// Bytes of answers that no counter has yet.
    pub bytes_to_client: u64,
    /// Whether it keeps its backend for good.
    pub pinned: bool,
    /// Whether the own gateway's stack has opened it itself.
    pub native: bool,
    /// Who has closed it: `client`, `backend`, `both` or `reset`; nothing if nobody has.
    pub closed: Option<String>,
}
