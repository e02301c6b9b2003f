//! Values that user space writes for the programs: settings, places, peers.

use crate::address::{Address, Endpoint};

/// Settings of the node; one element, written whole, except `armed`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Config {
    /// [`crate::ABI_VERSION`] once the maps are initialised, 0 before.
    pub version: u32,
    /// 1: new connections are steered; 0: they pass natively.
    pub armed: u32,
    /// Key of the SYN cookies; kept over restarts, so that connections in their handshake survive them.
    pub cookie_key: [u64; 2],
    /// Most flows; SYNs beyond it pass natively.
    pub max_flows: u32,
    /// First source port of forwarded invocations, host byte order.
    pub snat_first: u32,
    /// Number of such ports.
    pub snat_count: u32,
    /// Where the own gateway takes forwarded invocations from peers, for IPv4 and for IPv6. Where the address is all
    /// zero, it is the address to which the peer sent them, and only the port is meant.
    pub gateways: [Endpoint; 2],
    /// Segment size (MSS, bytes) that clients are told: what fits every path to a backend, as RFC 9293, 3.7.1 counts
    /// it for IPv4.
    pub segment_size: u32,
    /// Bits of [`setting`].
    pub settings: u32,
    /// One invocation in this many is reported through the ring of events; 0: none.
    pub sample: u32,
    /// Zero.
    pub padding: u32,
}

/// Bits of [`Config::settings`].
pub mod setting {
    /// Requests that leave the node get an `X-Forwarded-For` line.
    pub const FORWARDED_FOR: u32 = 1;
}

/// What a local endpoint is for; value of the map of places.
pub mod place {
    /// Users' invocations arrive here.
    pub const LISTEN: u32 = 1;
    /// Forwarded invocations arrive here.
    pub const DATA: u32 = 2;
}

/// Indexes of the map of running numbers.
pub mod cursor {
    /// Slots for first segments used so far.
    pub const SLOT: u32 = 0;
    /// Entry of the flow table to be looked at next for a dead flow.
    pub const SWEEP: u32 = 1;
    /// Flows in use.
    pub const LIVE: u32 = 2;
    /// From here on: the next source port of each peer, by backend number.
    pub const PORTS: u32 = 8;
}

/// A peer, or a gateway at an address of its own, as the programs know it; index is its backend number. All zero: there
/// is none.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peer {
    /// Where its data port is, or the gateway.
    pub address: Address,
    /// The address of this node from which packets to it are sent.
    pub source: Address,
    /// Interface towards it; 0: no route, the peer is unusable.
    pub interface: u32,
    /// Its data port, or the gateway's, network byte order.
    pub port: u16,
    /// 1: invocations may be sent to it.
    pub usable: u16,
    /// Nanoseconds between connections that are taken from it; 0: no limit, [`crate::bucket::NEVER`]: none is taken.
    pub interval: u64,
    /// Nanoseconds of unused rate that it may save up: burst times interval.
    pub tolerance: u64,
    /// Most connections of it at one time; 0: no limit.
    pub inflight: u32,
    /// Segment size (MSS, bytes) that fits the path to it, by the family of its address.
    pub segment_size: u32,
    /// Expected wait (us) at the local gateway beyond which no connection of it is taken; 0: no limit.
    pub wait: u32,
    /// Zero.
    pub padding: u32,
}

/// What a backend has said of itself, for the estimate of how long an invocation waits there; index is its backend
/// number. Written by user space, as often as the backend says something new.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Wait (us) of an invocation that reached it when it said so, and the way there and back.
    pub wait: u32,
    /// The low half of [`Load::sent`] at that moment.
    pub sent: u32,
    /// Wait (in 65,536ths) for each microsecond of work that is added: the inverse of the processors that do it.
    pub pace: u32,
    /// 1: it has said something; 0: nothing is known of it.
    pub known: u32,
}

/// Work (us of one processor, by [`crate::plan::Plan::work`]) that this node has given a backend; index is its backend
/// number. Written by the programs alone.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// All that was ever sent there.
    pub sent: u64,
    /// What is under way there now.
    pub under_way: u64,
}
