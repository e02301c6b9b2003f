//! Choosing a backend for a flow by the plan of its function, and giving the flow what it needs to reach it.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_get_prandom_u32, bpf_loop};
use dfaas_common::address::Tuple;
use dfaas_common::bucket::admit;
use dfaas_common::config::{Config, cursor};
use dfaas_common::count::{Event, LOCAL, NO_FUNCTION, REJECT};
use dfaas_common::flow::{Flow, side};
use dfaas_common::opaque::opaque;
use dfaas_common::pick::{draw, pick};
use dfaas_common::plan::{MAX_TARGETS, Plan, PlanTarget, mode};

use super::atomic;
use super::count::{bind, event, release};
use super::flows;
use super::maps::{CURSORS, FUNCTIONS, PEERS, PLANS};
use super::scratch::Scratch;
use super::skb::clock;

/// The choice "answer 429": a limit was reached and nobody else takes it.
pub const TOO_MANY: u32 = REJECT + 1;
/// The choice "answer 503": nobody takes it.
pub const UNAVAILABLE: u32 = REJECT + 2;

/// No target has taken it yet.
const NOBODY: u32 = REJECT + 3;

/// Bit of [`Flow::tried`]: the local gateway has been tried or is not to be.
pub const TRIED_LOCAL: u32 = 1 << 31;
/// Bit of [`Flow::tried`]: another backend has been tried after a refusal.
pub const RETRIED: u32 = 1 << 30;

/// Source ports that are tried for one connection.
const PORT_TRIES: u32 = 16;

/// The plan in force for a function.
#[inline(always)]
fn plan_of(function: u32, now: u64) -> Option<*const Plan> {
    if function == NO_FUNCTION {
        return None;
    }
    let plan = PLANS.get_ptr(&function)?;
    // SAFETY: plans are replaced, never changed in place.
    if unsafe { (*plan).expires } < now {
        event(Event::PlanExpired);
        return None;
    }
    Some(plan)
}

/// Binds a flow to the local gateway without regard to limits.
#[inline(always)]
fn local(flow: *mut Flow, limit: u32) -> bool {
    // SAFETY: map value, claimed by this CPU.
    unsafe {
        (*flow).tried |= TRIED_LOCAL;
        (*flow).backend = Tuple::default();
        (*flow).backend_number = LOCAL;
        (*flow).client_clock = 0;
        bind(flow, (*flow).function, LOCAL, limit)
    }
}

/// Takes one invocation from the local rate limit of a function.
#[inline(always)]
fn within_rate(function: u32, interval: u64, now: u64) -> bool {
    if interval == 0 {
        return true;
    }
    let Some(state) = FUNCTIONS.get_ptr_mut(function) else { return true };
    for _ in 0..4 {
        // SAFETY: map value; the swap detects that another CPU was faster.
        unsafe {
            let arrival = (*state).local_arrival;
            match admit(arrival, now, interval) {
                None => return false,
                Some(next) if atomic::swap(&raw mut (*state).local_arrival, arrival, next) => return true,
                Some(_) => {}
            }
        }
    }
    // Lost four races in a row: as many invocations were just admitted, one more does no harm.
    true
}

/// Binds a flow to the local gateway if its limits allow it.
#[inline(always)]
fn local_within_limits(flow: *mut Flow, inflight: u32, interval: u64, now: u64) -> bool {
    if !local(flow, inflight) {
        return false;
    }
    // SAFETY: map value.
    if !within_rate(unsafe { (*flow).function }, interval, now) {
        release(flow);
        return false;
    }
    true
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
    // SAFETY: the context is the one given to the loop in `peer`.
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

/// Binds a flow to a peer: a source port of our own, and the way back by it.
#[inline(always)]
fn peer(flow: *mut Flow, number: u32, backend: u32, config: &Config) -> bool {
    let Some(peer) = PEERS.get(backend) else { return false };
    let Some(next) = CURSORS.get_ptr_mut(cursor::PORTS + backend) else { return false };
    if peer.usable == 0 || peer.interface == 0 || config.snat_count == 0 {
        return false;
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

/// One choice.
#[repr(C)]
struct Choice {
    scratch: *mut Scratch,
    flow: *mut Flow,
    plan: *const Plan,
    config: *const Config,
    number: u32,
    point: u32,
    outcome: u32,
    padding: u32,
}

/// Draws a target and tries to bind the flow to it; 1 ends the choice.
extern "C" fn try_target(_: u64, choice: *mut Choice) -> i64 {
    // SAFETY: the context is the one given to the loop in `choose`.
    unsafe {
        let choice = &mut *choice;
        let (flow, plan) = (choice.flow, &*choice.plan);
        let Some(i) = pick(plan, choice.point, (*flow).tried) else { return 1 };
        let i = opaque(i);
        if i >= MAX_TARGETS as u32 {
            return 1;
        }
        (*flow).tried |= 1 << i;
        let backend = (*(&raw const plan.targets).cast::<PlanTarget>().add(i as usize)).backend;
        if backend == REJECT {
            choice.outcome = UNAVAILABLE;
            return 1;
        }
        if backend == LOCAL {
            let now = (*choice.scratch).now;
            if local_within_limits(flow, plan.local_inflight, plan.local_interval, now) {
                choice.outcome = LOCAL;
                return 1;
            }
            choice.outcome = TOO_MANY;
            return 0;
        }
        if !peer(flow, choice.number, backend, &*choice.config) {
            return 0;
        }
        choice.outcome = backend;
        1
    }
}

/// Chooses a backend that has not been tried and binds the flow to it: [`LOCAL`], a peer's number, [`TOO_MANY`] or
/// [`UNAVAILABLE`]. The flow is claimed by this CPU.
#[inline(never)]
pub fn choose(s: *mut Scratch, number: u32, flow: *mut Flow, config: &Config) -> u32 {
    // SAFETY: map values.
    unsafe {
        let (function, now) = ((*flow).function, (*s).now);
        let Some(plan) = plan_of(function, now) else {
            if (*flow).tried & TRIED_LOCAL != 0 {
                return UNAVAILABLE;
            }
            local(flow, 0);
            return LOCAL;
        };
        let random = bpf_get_prandom_u32();
        let point = match FUNCTIONS.get_ptr_mut(function) {
            Some(state) if (*flow).tried == 0 => {
                draw((*plan).mode, random, atomic::fetch_add(&raw mut (*state).draws, 1))
            }
            // A second choice takes nothing from the sequence, or a peer that refuses would be drawn too often: the
            // point after its own is never its own again.
            _ => draw(mode::SHARE, random, 0),
        };
        let mut choice =
            Choice { scratch: s, flow, plan, config, number, point, outcome: NOBODY, padding: 0 };
        bpf_loop(MAX_TARGETS as u32, try_target as *mut c_void, (&raw mut choice).cast(), 0);
        let outcome = choice.outcome;
        if outcome == NOBODY {
            // Only peers were planned, and none can be reached: the gateway, within its limits.
            if (*flow).tried & TRIED_LOCAL != 0 {
                return UNAVAILABLE;
            }
            let (inflight, interval) = ((*plan).local_inflight, (*plan).local_interval);
            return if local_within_limits(flow, inflight, interval, now) { LOCAL } else { TOO_MANY };
        }
        if outcome != LOCAL && outcome < REJECT && (*flow).timestamps != 0 {
            // The peer sees one clock for all of our connections, or its TIME_WAIT would refuse a port.
            (*flow).client_clock = clock((*flow).born).wrapping_sub((*flow).client_time);
        }
        outcome
    }
}

/// After a refusal: another target once, then the local gateway, then nobody.
#[inline(never)]
pub fn choose_again(s: *mut Scratch, number: u32, flow: *mut Flow, config: &Config) -> u32 {
    // SAFETY: map values.
    unsafe {
        if (*flow).tried & RETRIED == 0 {
            (*flow).tried |= RETRIED;
            return choose(s, number, flow, config);
        }
        if (*flow).tried & TRIED_LOCAL == 0 && local(flow, 0) {
            return LOCAL;
        }
    }
    UNAVAILABLE
}
