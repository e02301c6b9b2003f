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
    /// Where forwarded invocations from peers are delivered: the first listen address.
    pub gateway: Endpoint,
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

/// A peer as the programs know it; index is its backend number. All zero: no such peer.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peer {
    /// Where its data port is.
    pub address: Address,
    /// The address of this node from which packets to it are sent.
    pub source: Address,
    /// Interface towards it; 0: no route, the peer is unusable.
    pub interface: u32,
    /// Its data port, network byte order.
    pub port: u16,
    /// 1: invocations may be sent to it.
    pub usable: u16,
    /// Nanoseconds between connections that are taken from it; 0: no limit, [`crate::bucket::NEVER`]: none is taken.
    pub interval: u64,
    /// Nanoseconds of unused rate that it may save up: burst times interval.
    pub tolerance: u64,
    /// Most connections of it at one time; 0: no limit.
    pub inflight: u32,
    /// Zero.
    pub padding: u32,
}
