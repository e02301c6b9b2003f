//! Binding a flow to a backend, if it can be reached and its limits allow it.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;
use dfaas_common::address::Tuple;
use dfaas_common::config::{Config, cursor};
use dfaas_common::count::{Event, LOCAL};
use dfaas_common::flow::{Flow, side};

use super::atomic;
use super::count::{bind, event, release};
use super::flows;
use super::limits;
use super::maps::{CURSORS, PEERS};

/// Bit of [`Flow::tried`]: the local gateway has been tried or is not to be.
pub const TRIED_LOCAL: u32 = 1 << 31;
/// Bit of [`Flow::tried`]: a limit stood in the way of a backend.
pub const LIMITED: u32 = 1 << 29;

/// Source ports that are tried for one connection.
const PORT_TRIES: u32 = 16;

/// Binds a flow to the local gateway if its limits (0: none) allow it.
#[inline(never)]
pub fn local(flow: *mut Flow, inflight: u32, interval: u64, now: u64) -> bool {
    // SAFETY: map value, claimed by this CPU.
    unsafe {
        (*flow).tried |= TRIED_LOCAL;
        (*flow).backend = Tuple::default();
        (*flow).backend_number = LOCAL;
        (*flow).client_clock = 0;
        if bind(flow, (*flow).function, LOCAL, inflight) {
            if limits::local_rate((*flow).function, now, interval) {
                return true;
            }
            release(flow);
        }
        (*flow).tried |= LIMITED;
    }
    false
}

/// The search for a source port towards a peer.
#[repr(C)]
struct PortSearch {
    next: *mut u64,
    flow: *mut Flow,
    first: u32,
    count: u32,
    number: u32,
    found: u32,
}

/// Tries the next port in turn; 1 ends the search.
extern "C" fn try_port(_: u64, search: *mut PortSearch) -> i64 {
    // SAFETY: the context is the one given to the loop below.
    unsafe {
        let search = &mut *search;
        // Ports in turn: each comes again only after all others, so the peer's TIME_WAIT meets it late.
        let Some(turn) = (atomic::fetch_add(search.next, 1) as u32).checked_rem(search.count) else {
            return 1;
        };
        let port = search.first + turn;
        (*search.flow).backend.local_port = (port as u16).to_be();
        let tuple = &(*search.flow).backend;
        if !flows::index(tuple, search.number, side::BACKEND) {
            let taken = matches!(flows::find(tuple), Some(owner) if flows::take_over(owner.index));
            if !taken || !flows::index(tuple, search.number, side::BACKEND) {
                return 0;
            }
            event(Event::PortTakenOver);
        }
        search.found = 1;
    }
    1
}

/// Binds a flow to a peer: a source port of our own, and the way back by it. `interval` is that of the limit of what
/// the function may send there.
#[inline(always)]
pub fn peer(
    flow: *mut Flow,
    number: u32,
    backend: u32,
    config: &Config,
    (interval, now): (u64, u64),
) -> bool {
    let Some(peer) = PEERS.get(backend) else { return false };
    let Some(next) = CURSORS.get_ptr_mut(cursor::PORTS + backend) else { return false };
    if peer.usable == 0 || peer.interface == 0 || config.snat_count == 0 {
        return false;
    }
    // SAFETY: map value, claimed by this CPU.
    unsafe {
        if !limits::peer_rate((*flow).function, backend, now, interval) {
            event(Event::PeerSpent);
            (*flow).tried |= LIMITED;
            return false;
        }
    }
    let mut search =
        PortSearch { next, flow, first: config.snat_first, count: config.snat_count, number, found: 0 };
    // SAFETY: the callback gets the context given here; the flow is claimed by this CPU.
    unsafe {
        let leg = &mut (*flow).backend;
        leg.remote = peer.address;
        leg.local = peer.source;
        leg.remote_port = peer.port;
        bpf_loop(PORT_TRIES, try_port as *mut c_void, (&raw mut search).cast(), 0);
        if search.found == 0 {
            event(Event::NoSourcePort);
            (*flow).backend.remote_port = 0;
            return false;
        }
        (*flow).backend_number = backend;
        bind(flow, (*flow).function, backend, 0)
    }
}
