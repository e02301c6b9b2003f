//! Binding a flow to a backend, if it can be reached and its limits allow it.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;
use dfaas_common::address::Tuple;
use dfaas_common::choice::{Limits, Taken};
use dfaas_common::config::cursor;
use dfaas_common::count::{Event, LOCAL};
use dfaas_common::flow::{Flow, side};

use super::atomic;
use super::count::{bind, event, release};
use super::data_port;
use super::flows;
use super::leg;
use super::limits;
use super::maps::{CONFIG, CURSORS, HOMES, PEERS};
use super::scratch::Scratch;

/// Source ports that are tried for one connection.
const PORT_TRIES: u32 = 16;

/// Backend number of the gateway that serves a function here; 0: the own one.
#[inline(always)]
fn home(function: u32) -> u32 {
    HOMES.get(function).copied().unwrap_or(0)
}

/// Whether a backend with an address of its own can be sent to.
#[inline(always)]
pub fn usable(backend: u32) -> bool {
    match PEERS.get(backend) {
        Some(peer) => peer.usable != 0 && peer.interface != 0,
        None => false,
    }
}

/// Binds a flow to the gateway that serves its function here, if it can be reached and its limits (0: none) allow it;
/// its leg is still to be found.
#[inline(always)]
pub fn local(flow: *mut Flow, limits: &Limits, now: u64, work: u32) -> Taken {
    // SAFETY: map value, claimed by this CPU.
    unsafe {
        let function = (*flow).function;
        let gateway = home(function);
        // Before it is counted, so that it leaves the gauge that it entered.
        (*flow).backend_number = LOCAL;
        (*flow).gateway = gateway;
        if gateway != 0 && !usable(gateway) {
            return Taken::Unreachable;
        }
        if limits::too_long(limits.wait) {
            return Taken::Limited;
        }
        if bind(flow, function, LOCAL, limits.inflight, work) {
            if limits::local_rate(function, now, limits.interval) {
                return Taken::Yes;
            }
            release(flow);
        }
    }
    Taken::Limited
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

/// Gives a bound flow a leg, unless the one that it had leads to the same backend: towards a backend with an address of
/// its own a source port of ours, and the way back by it. If there is none, the flow is not bound any more.
#[inline(never)]
pub fn open(s: *mut Scratch, number: u32, flow: *mut Flow) -> bool {
    let Some(config) = CONFIG.get(0) else { return false };
    let backend = leg::far(flow);
    // SAFETY: map values, claimed by this CPU; the callback gets the context given here.
    unsafe {
        if backend == (*s).old.far {
            (*flow).backend = (*s).old.tuple;
            return true;
        }
        (*flow).shift = 0;
        if backend == 0 {
            (*flow).backend = Tuple::default();
            (*flow).client_clock = 0;
            return (*flow).peer == 0 || data_port::own_leg(number, flow, config);
        }
        let found = match (PEERS.get(backend), CURSORS.get_ptr_mut(cursor::PORTS + backend)) {
            (Some(peer), Some(next)) => {
                let leg = &mut (*flow).backend;
                leg.remote = peer.address;
                leg.local = peer.source;
                leg.remote_port = peer.port;
                let (first, count) = (config.snat_first, config.snat_count);
                let mut search = PortSearch { next, flow, first, count, number, found: 0 };
                bpf_loop(PORT_TRIES, try_port as *mut c_void, (&raw mut search).cast(), 0);
                search.found
            }
            _ => 0,
        };
        if found == 0 {
            event(Event::NoSourcePort);
            (*flow).backend.remote_port = 0;
            release(flow);
            return false;
        }
        // The backend sees one clock for all of our connections, or its TIME_WAIT would refuse a port.
        (*flow).client_clock = (*flow).node_clock;
    }
    true
}

/// Binds a flow to a peer, if it can be reached; its leg is still to be found. `interval` is that of the limit of what
/// the function may send there.
#[inline(always)]
pub fn peer(flow: *mut Flow, backend: u32, interval: u64, now: u64, work: u32) -> Taken {
    if !usable(backend) {
        return Taken::Unreachable;
    }
    // SAFETY: map value, claimed by this CPU.
    unsafe {
        let function = (*flow).function;
        if !limits::peer_rate(function, backend, now, interval) {
            event(Event::PeerSpent);
            return Taken::Limited;
        }
        (*flow).backend_number = backend;
        (*flow).gateway = 0;
        bind(flow, function, backend, 0, work);
    }
    Taken::Yes
}
