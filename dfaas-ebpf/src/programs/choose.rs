//! Choosing a backend for a flow by the plan of its function: [`dfaas_common::choice`] on the maps.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_get_prandom_u32, bpf_loop};
use dfaas_common::choice::{
    Choice, Draw, Limits, NO_WAY, Taken, UNAVAILABLE, World, expected_wait, tried, wait_here,
};
use dfaas_common::count::{Event, LOCAL, NO_FUNCTION};
use dfaas_common::event::Way;
use dfaas_common::flow::Flow;
use dfaas_common::plan::{MAX_TARGETS, Plan, allows};

use super::atomic;
use super::count::{self, event};
use super::flows;
use super::limits;
use super::maps::{FUNCTIONS, LOADS, PLANS, REPORTS, SCRATCH};
use super::reach;
use super::scratch::Scratch;

/// The plan in force for a function.
#[inline(always)]
fn plan_of(function: u32, now: u64) -> Option<&'static Plan> {
    if function == NO_FUNCTION {
        return None;
    }
    // SAFETY: plans are replaced, never changed in place, and what is replaced outlives the program run.
    let plan = unsafe { &*PLANS.get_ptr(&function)? };
    if plan.expires < now {
        event(Event::PlanExpired);
        return None;
    }
    Some(plan)
}

/// The flow that a backend is chosen for.
#[repr(C)]
struct Chosen {
    s: *mut Scratch,
    flow: *mut Flow,
}

/// Tries a target; 1 ends the drawing.
extern "C" fn try_target(_: u64, draw: *mut Draw<'static, Chosen>) -> i64 {
    // SAFETY: the context is the one given to the loop below.
    unsafe { (*draw).try_target() as i64 }
}

/// [`World::draw`] for the flow whose number is in working memory. The plan may be a newer one than the choice began
/// with: each is as good.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_draw(point: u32) -> u32 {
    let Some(s) = SCRATCH.get_ptr_mut(0) else { return UNAVAILABLE };
    // SAFETY: map values; plans are replaced, never changed in place; the callback gets the context given here.
    unsafe {
        let Some(flow) = flows::get((*s).number) else { return UNAVAILABLE };
        let Some(plan) = PLANS.get_ptr(&(*flow).function) else { return UNAVAILABLE };
        let mut draw = Draw::new(Chosen { s, flow }, &*plan, point);
        bpf_loop(MAX_TARGETS as u32, try_target as *mut c_void, (&raw mut draw).cast(), 0);
        draw.outcome
    }
}

impl World for Chosen {
    #[inline(always)]
    fn tried(&mut self) -> &mut u32 {
        // SAFETY: map value, claimed by this CPU.
        unsafe { &mut (*self.flow).tried }
    }

    #[inline(always)]
    fn random(&mut self) -> u32 {
        // SAFETY: a helper without conditions.
        unsafe { bpf_get_prandom_u32() }
    }

    #[inline(always)]
    fn turn(&mut self) -> u64 {
        // SAFETY: map values.
        unsafe {
            match FUNCTIONS.get_ptr_mut((*self.flow).function) {
                Some(state) => atomic::fetch_add(&raw mut (*state).draws, 1),
                None => 0,
            }
        }
    }

    #[inline(always)]
    fn local(&mut self, limits: Limits) -> Taken {
        // SAFETY: map value.
        let number = unsafe { (*self.s).number };
        taken(dfaas_try_local(number, limits.inflight, limits.interval, limits.wait))
    }

    #[inline(always)]
    fn peer(&mut self, backend: u32, interval: u64) -> Taken {
        // SAFETY: map value.
        taken(dfaas_try_peer(unsafe { (*self.s).number }, backend, interval))
    }

    #[inline(always)]
    fn wait(&mut self, backend: u32) -> u32 {
        dfaas_wait(backend)
    }

    #[inline(always)]
    fn peers_rate(&mut self, interval: u64) -> bool {
        // SAFETY: map values.
        unsafe { limits::peers_rate((*self.flow).function, (*self.s).now, interval) }
    }

    #[inline(always)]
    fn open(&mut self) -> bool {
        // SAFETY: map value.
        dfaas_open(unsafe { (*self.s).number }) != 0
    }

    #[inline(always)]
    fn release(&mut self) {
        count::release(self.flow);
    }

    #[inline(always)]
    fn overflowed(&mut self) {
        // SAFETY: map value, claimed by this CPU.
        unsafe { (*self.flow).noted.way = Way::Overflowed as u32 };
        event(Event::Overflowed);
    }

    #[inline(always)]
    fn draw(&mut self, _: &Plan, point: u32) -> u32 {
        dfaas_draw(point)
    }
}

const YES: u32 = Taken::Yes as u32;
const LIMITED: u32 = Taken::Limited as u32;

#[inline(always)]
fn taken(number: u32) -> Taken {
    match number {
        YES => Taken::Yes,
        LIMITED => Taken::Limited,
        _ => Taken::Unreachable,
    }
}

/// [`reach::local`] for the flow of this number.
///
/// Not static, as are the next two: such functions are verified once, by themselves, and not at each call and for each
/// way that leads there.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_try_local(number: u32, inflight: u32, interval: u64, wait: u32) -> u32 {
    let (Some(s), Some(flow)) = (SCRATCH.get_ptr_mut(0), flows::get(number)) else {
        return Taken::Unreachable as u32;
    };
    // SAFETY: map value.
    unsafe { reach::local(flow, &Limits { inflight, interval, wait }, (*s).now, (*s).work) as u32 }
}

/// [`reach::peer`] for the flow of this number.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_try_peer(number: u32, backend: u32, interval: u64) -> u32 {
    let (Some(s), Some(flow)) = (SCRATCH.get_ptr_mut(0), flows::get(number)) else {
        return Taken::Unreachable as u32;
    };
    // SAFETY: map value.
    unsafe { reach::peer(flow, backend, interval, (*s).now, (*s).work) as u32 }
}

/// [`reach::open`] for the flow of this number; 0: it is not bound any more.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_open(number: u32) -> u32 {
    let (Some(s), Some(flow)) = (SCRATCH.get_ptr_mut(0), flows::get(number)) else { return 0 };
    reach::open(s, number, flow) as u32
}

/// How long an invocation is expected to wait at a backend.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_wait(backend: u32) -> u32 {
    let (Some(report), Some(load)) = (REPORTS.get(backend), LOADS.get(backend)) else { return NO_WAY };
    if backend == LOCAL {
        return wait_here(report, load);
    }
    if reach::usable(backend) { expected_wait(report, load) } else { NO_WAY }
}

/// Ways to choose, for [`dfaas_choose`].
mod way {
    pub const FIRST: u32 = 0;
    pub const AGAIN: u32 = 1;
    pub const FOR_PEER: u32 = 2;
}

/// Makes a choice for the flow whose number is in working memory, and which this CPU has claimed.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_choose(way: u32) -> u32 {
    let Some(s) = SCRATCH.get_ptr_mut(0) else { return UNAVAILABLE };
    // SAFETY: map values.
    unsafe {
        let Some(flow) = flows::get((*s).number) else { return UNAVAILABLE };
        let plan = plan_of((*flow).function, (*s).now);
        (*s).work = plan.map_or(0, |plan| plan.work);
        let mut choice = Choice::new(Chosen { s, flow }, plan);
        match way {
            way::FIRST => choice.choose(),
            way::AGAIN => choice.choose_again((*flow).backend_number),
            _ => choice.for_peer(),
        }
    }
}

/// Chooses a backend that has not been tried, binds the flow, whose number is in working memory, to it and gives it a
/// leg: [`LOCAL`], a peer's number, or an answer, 429 or 503.
#[inline(always)]
pub fn choose() -> u32 {
    dfaas_choose(way::FIRST)
}

/// After a refusal or silence of its backend: another target once, then the local gateway, then nobody.
#[inline(always)]
pub fn choose_again() -> u32 {
    dfaas_choose(way::AGAIN)
}

/// The same for a request of a peer: a gateway of this node, never another peer.
#[inline(always)]
pub fn for_peer() -> u32 {
    dfaas_choose(way::FOR_PEER)
}

/// Whether the plan gives a backend requests of the function in working memory.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn dfaas_may_have(backend: u32) -> u32 {
    let Some(s) = SCRATCH.get_ptr_mut(0) else { return 0 };
    // SAFETY: map value.
    match unsafe { plan_of((*s).function, (*s).now) } {
        Some(plan) => allows(plan, backend) as u32,
        None => (backend == LOCAL) as u32,
    }
}

/// Whether the plan gives a backend requests of the function in working memory.
#[inline(always)]
pub fn may_have(backend: u32) -> bool {
    dfaas_may_have(backend) != 0
}

/// The own gateway, which has taken the connection itself.
#[inline(always)]
pub fn stay_home(flow: *mut Flow) -> u32 {
    stay(flow, LOCAL);
    LOCAL
}

/// The backend that the flow has already.
#[inline(always)]
pub fn stay(flow: *mut Flow, backend: u32) {
    // SAFETY: map values.
    unsafe {
        let function = (*flow).function;
        // What it costs does not depend on the plan's being in force.
        let work = PLANS.get_ptr(&function).map_or(0, |plan| (*plan).work);
        count::bind(flow, function, backend, 0, work);
    }
}

/// Whether a retry led here.
#[inline(always)]
pub fn retried(flow: *mut Flow) -> bool {
    // SAFETY: map value.
    unsafe { (*flow).tried & tried::RETRIED != 0 }
}
