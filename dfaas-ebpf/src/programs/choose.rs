//! Choosing a backend for a flow by the plan of its function.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_get_prandom_u32, bpf_loop};
use dfaas_common::config::Config;
use dfaas_common::count::{Event, LOCAL, NO_FUNCTION, REJECT};
use dfaas_common::flow::Flow;
use dfaas_common::opaque::opaque;
use dfaas_common::pick::{draw, pick};
use dfaas_common::plan::{MAX_TARGETS, Plan, PlanTarget, flag, mode};

use super::atomic;
use super::count::{self, event};
use super::limits;
use super::maps::{FUNCTIONS, PLANS};
use super::reach::{self, LIMITED, Local, TRIED_LOCAL};
use super::scratch::Scratch;

/// The choice "answer 429": a limit was reached and nobody else takes it.
pub const TOO_MANY: u32 = REJECT + 1;
/// The choice "answer 503": nobody takes it.
pub const UNAVAILABLE: u32 = REJECT + 2;

/// No target has taken it yet.
const NOBODY: u32 = REJECT + 3;

/// Bit of [`Flow::tried`]: another backend has been tried after a refusal.
pub const RETRIED: u32 = 1 << 30;
/// Bits of [`Flow::tried`] that stand for targets.
const TARGETS: u32 = (1 << MAX_TARGETS) - 1;

/// The plan in force for a function.
#[inline(always)]
pub fn plan_of(function: u32, now: u64) -> Option<*const Plan> {
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

/// What a plan says of the local gateway.
#[inline(always)]
fn local_limits(plan: *const Plan, now: u64) -> Local {
    // SAFETY: map value.
    unsafe { Local { inflight: (*plan).local_inflight, interval: (*plan).local_interval, now } }
}

/// The local gateway without limits.
#[inline(always)]
const fn unlimited(now: u64) -> Local {
    Local { inflight: 0, interval: 0, now }
}

/// The local gateway, if it has not been tried, within the limits of a plan; nobody otherwise. 429 says that without
/// some limit there would have been another backend to try, 503 that all refused or are out of reach.
#[inline(always)]
fn home(flow: *mut Flow, limits: &Local) -> u32 {
    // SAFETY: map value.
    unsafe {
        if (*flow).tried & TRIED_LOCAL == 0 && reach::local(flow, limits) {
            return LOCAL;
        }
        if (*flow).tried & LIMITED != 0 { TOO_MANY } else { UNAVAILABLE }
    }
}

/// One choice.
#[repr(C)]
struct Choice {
    flow: *mut Flow,
    plan: *const Plan,
    now: u64,
    point: u32,
    /// Bits of targets beside those in [`Flow::tried`] that are left out.
    excluded: u32,
    outcome: u32,
}

/// Draws a target and tries to bind the flow to it; 1 ends the choice.
extern "C" fn try_target(_: u64, choice: *mut Choice) -> i64 {
    // SAFETY: the context is the one given to the loop in `choose`.
    unsafe {
        let choice = &mut *choice;
        let (flow, plan) = (choice.flow, &*choice.plan);
        let Some(i) = pick(plan, choice.point, (*flow).tried | choice.excluded) else { return 1 };
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
        let bound = if backend == LOCAL {
            reach::local(flow, &local_limits(plan, choice.now))
        } else {
            let interval = *(&raw const plan.intervals).cast::<u64>().add(i as usize);
            reach::peer(flow, backend, interval, choice.now)
        };
        if bound {
            choice.outcome = backend;
            return 1;
        }
        // Among the rest at random: the same point again would give it all to the targets that lie there.
        choice.point = draw(mode::SHARE, bpf_get_prandom_u32(), 0);
        0
    }
}

/// Draws targets of a plan until one takes the flow: [`LOCAL`], a peer's number, [`UNAVAILABLE`] if the plan says so, or
/// [`NOBODY`].
#[inline(always)]
fn draw_targets(flow: *mut Flow, plan: *const Plan, now: u64) -> u32 {
    // SAFETY: map values; the callback gets the context given here.
    unsafe {
        let random = bpf_get_prandom_u32();
        let point = match FUNCTIONS.get_ptr_mut((*flow).function) {
            Some(state) if (*flow).tried & TARGETS == 0 => {
                draw((*plan).mode, random, atomic::fetch_add(&raw mut (*state).draws, 1))
            }
            // A second choice takes nothing from the sequence, or a peer that refuses would be drawn too often: the
            // point after its own is never its own again.
            _ => draw(mode::SHARE, random, 0),
        };
        let excluded = if (*flow).tried & TRIED_LOCAL != 0 { (*plan).locals } else { 0 };
        let mut choice = Choice { flow, plan, now, point, excluded, outcome: NOBODY };
        bpf_loop(MAX_TARGETS as u32, try_target as *mut c_void, (&raw mut choice).cast(), 0);
        choice.outcome
    }
}

/// Binds the flow to a backend that has not been tried; its leg is still to be found.
#[inline(never)]
fn bind_one(flow: *mut Flow, now: u64) -> u32 {
    // SAFETY: map values.
    unsafe {
        let Some(plan) = plan_of((*flow).function, now) else { return home(flow, &unlimited(now)) };
        let limits = local_limits(plan, now);
        let local_first = (*plan).flags & flag::LOCAL_FIRST != 0 && (*flow).tried & TRIED_LOCAL == 0;
        if local_first && reach::local(flow, &limits) {
            return LOCAL;
        }
        let outcome = draw_targets(flow, plan, now);
        if outcome != NOBODY {
            return outcome;
        }
        let tried = (*flow).tried;
        if tried & LIMITED != 0 && tried & RETRIED == 0 {
            // The plan gives the gateway no share of what its limits refuse.
            return TOO_MANY;
        }
        // Only peers were planned, and none can be reached, or one refused.
        home(flow, &limits)
    }
}

/// Chooses a backend that has not been tried, binds the flow to it and gives it a leg: [`LOCAL`], a peer's number,
/// [`TOO_MANY`] or [`UNAVAILABLE`]. The flow is claimed by this CPU.
#[inline(never)]
pub fn choose(s: *mut Scratch, number: u32, flow: *mut Flow, config: &Config) -> u32 {
    // SAFETY: map value.
    let now = unsafe { (*s).now };
    // Once more if there is no source port towards the first.
    for _ in 0..2 {
        let outcome = bind_one(flow, now);
        if outcome >= REJECT || reach::open(s, number, flow, config) {
            return outcome;
        }
    }
    UNAVAILABLE
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
        let now = (*s).now;
        let limits = match plan_of((*flow).function, now) {
            Some(plan) => local_limits(plan, now),
            None => unlimited(now),
        };
        let outcome = home(flow, &limits);
        if outcome >= REJECT || reach::open(s, number, flow, config) { outcome } else { UNAVAILABLE }
    }
}

/// The same for a request of a peer, on a connection that has been admitted: a gateway of this node, if it can be reached
/// and the limits allow it. Never another peer.
#[inline(never)]
pub fn for_peer(s: *mut Scratch, number: u32, flow: *mut Flow, config: &Config) -> u32 {
    // SAFETY: map values.
    unsafe {
        let (function, now) = ((*flow).function, (*s).now);
        let (mut limits, mut peers) = (unlimited(now), 0);
        if let Some(plan) = plan_of(function, now) {
            // The local rate is that of users; of peers there is one of its own.
            limits.inflight = (*plan).local_inflight;
            peers = (*plan).peers_interval;
        }
        if !reach::local(flow, &limits) {
            return if (*flow).tried & LIMITED != 0 { TOO_MANY } else { UNAVAILABLE };
        }
        if !limits::peers_rate(function, now, peers) {
            count::release(flow);
            return TOO_MANY;
        }
    }
    if reach::open(s, number, flow, config) { LOCAL } else { UNAVAILABLE }
}

/// The own gateway, which has taken the connection itself.
#[inline(always)]
pub fn stay_home(flow: *mut Flow) -> u32 {
    // SAFETY: map value.
    count::bind(flow, unsafe { (*flow).function }, LOCAL, 0);
    LOCAL
}
