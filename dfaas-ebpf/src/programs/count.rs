//! Counting.

use aya_ebpf::bindings::BPF_NOEXIST;
use dfaas_common::count::{
    CLASSES, CountKey, DropReason, Event, LOCAL, MoveKey, PeerOutcome, PinReason, Tally, class, origin,
};
use dfaas_common::first_byte::{BUCKETS, bucket};
use dfaas_common::flow::{Flow, mark};
use dfaas_common::opaque::opaque;

use super::atomic;
use super::limits;
use super::maps::{BOUND, DROPS, HAPPENED, LOADS, MOVES, PEER_COUNTS, PINS, TALLIES};
use super::scratch::Scratch;
use super::skb::DROP;

/// Counts a drop and gives the verdict for it.
#[inline(always)]
pub fn drop(reason: DropReason) -> i32 {
    if let Some(p) = DROPS.get_ptr_mut(reason as u32) {
        // SAFETY: a counter of this CPU.
        unsafe { *p += 1 };
    }
    DROP
}

/// Counts an event.
#[inline(always)]
pub fn event(event: Event) {
    if let Some(p) = HAPPENED.get_ptr_mut(event as u32) {
        // SAFETY: a counter of this CPU.
        unsafe { *p += 1 };
    }
}

/// Counts a connection that can no longer move.
#[inline(always)]
pub fn pinned(reason: PinReason) {
    if let Some(p) = PINS.get_ptr_mut(reason as u32) {
        // SAFETY: a counter of this CPU.
        unsafe { *p += 1 };
    }
}

/// Counts a kept connection that goes on with another backend.
#[inline(never)]
pub fn moved(from: u32, to: u32) {
    let key = MoveKey { from: from as u16, to: to as u16 };
    if MOVES.get_ptr_mut(&key).is_none() {
        // Another CPU may insert at the same time; adding to what is there then loses nothing.
        let _ = MOVES.insert(&key, &NO_MOVES, BPF_NOEXIST as u64);
    }
    if let Some(p) = MOVES.get_ptr_mut(&key) {
        // SAFETY: a counter of this CPU.
        unsafe { *p += 1 };
    }
}

static NO_MOVES: u64 = 0;

/// No invocation yet, in memory that outlives every program run: the stack is scarce.
static NOTHING: Tally = Tally::EMPTY;

/// The counters of this CPU for what a flow carries now.
#[inline(never)]
fn tally(flow: *mut Flow, backend: u32) -> Option<*mut Tally> {
    // SAFETY: map value.
    let (function, peer) = unsafe { ((*flow).function, (*flow).peer) };
    let origin = if peer != 0 { origin::PEER } else { origin::USER };
    let key = CountKey { function, backend: backend as u16, origin };
    if let Some(p) = TALLIES.get_ptr_mut(&key) {
        return Some(p);
    }
    // Another CPU may insert at the same time; adding to what is there then loses nothing.
    let _ = TALLIES.insert(&key, &NOTHING, BPF_NOEXIST as u64);
    TALLIES.get_ptr_mut(&key)
}

/// Counts a request that goes to `backend`, the flow's own or [`dfaas_common::count::REJECT`]; `retried`: another one
/// has refused it or kept silent.
#[inline(always)]
pub fn invocation(flow: *mut Flow, backend: u32, retried: bool) {
    if let Some(tally) = tally(flow, backend) {
        // SAFETY: counters of this CPU.
        unsafe {
            (*tally).invocations += 1;
            (*tally).retries += retried as u64;
        }
    }
}

/// Counts an answer by its status, 0 if that could not be read.
#[inline(always)]
pub fn answered(flow: *mut Flow, backend: u32, status: u32) {
    let Some(tally) = tally(flow, backend) else { return };
    let class = opaque(class(status)) as usize;
    if class < CLASSES {
        // SAFETY: a counter of this CPU, and the class is checked just now.
        unsafe { *(&raw mut (*tally).answers).cast::<u64>().add(class) += 1 };
    }
}

/// Counts the bytes that a flow has carried since the last time.
#[inline(always)]
fn settle(flow: *mut Flow) {
    // SAFETY: map values; whoever takes the bytes counts them.
    unsafe {
        if (*flow).bytes[0] | (*flow).bytes[1] == 0 {
            return;
        }
        let up = atomic::fetch_and(&raw mut (*flow).bytes[0], 0);
        let down = atomic::fetch_and(&raw mut (*flow).bytes[1], 0);
        // Of an invocation that goes on, although its client has closed its side.
        (*flow).noted.counted[0] += up;
        (*flow).noted.counted[1] += down;
        if let Some(tally) = tally(flow, (*flow).backend_number) {
            (*tally).bytes[0] += up;
            (*tally).bytes[1] += down;
        }
    }
}

/// Adds to the bytes that a flow carries, `way` 0 towards the backend and 1 towards the client. Each way is added to by
/// one CPU at a time, or nearly so: what a race loses are some bytes of a counter.
#[inline(always)]
pub fn carried(flow: *mut Flow, way: usize, payload: u32) {
    // SAFETY: map value; the way is a constant.
    unsafe { (*flow).bytes[way] += payload as u64 };
}

#[inline(always)]
fn gauge(function: u32, backend: u32) -> Option<*mut u64> {
    let key = CountKey { function, backend: backend as u16, origin: origin::USER };
    if let Some(p) = BOUND.get_ptr_mut(&key) {
        return Some(p);
    }
    let zero = 0u64;
    let _ = BOUND.insert(&key, &zero, BPF_NOEXIST as u64);
    BOUND.get_ptr_mut(&key)
}

/// Counts what a flow carries as under way at `backend`; `false` if that would pass `limit` (0: none). Without memory
/// for another gauge it goes uncounted. `work`: [`dfaas_common::plan::Plan::work`].
#[inline(never)]
pub fn bind(flow: *mut Flow, function: u32, backend: u32, limit: u32, work: u32) -> bool {
    let Some(gauge) = gauge(function, backend) else { return true };
    if !limits::enter(gauge, limit) {
        return false;
    }
    // SAFETY: a flow that this CPU has claimed, and a map value.
    unsafe {
        (*flow).work = work;
        atomic::fetch_or(&raw mut (*flow).marks, mark::COUNTED);
        if let Some(load) = LOADS.get_ptr_mut(backend) {
            atomic::fetch_add(&raw mut (*load).sent, work as u64);
            atomic::fetch_add(&raw mut (*load).under_way, work as u64);
        }
    }
    true
}

/// Keeps only these marks of a flow; one that loses [`mark::COUNTED`] or [`mark::ADMITTED`] by it leaves the gauge.
#[inline(never)]
fn keep(flow: *mut Flow, marks: u64) {
    // SAFETY: a map value; the bits decide who decrements.
    let (before, function, backend, peer, work) = unsafe {
        let before = atomic::fetch_and(&raw mut (*flow).marks, marks);
        (before, (*flow).function, (*flow).backend_number, (*flow).peer, (*flow).work)
    };
    let lost = before & !marks;
    if lost & mark::COUNTED != 0 {
        if let Some(gauge) = gauge(function, backend) {
            atomic::fetch_add(gauge, u64::MAX);
        }
        if let Some(load) = LOADS.get_ptr_mut(backend) {
            // SAFETY: map value.
            atomic::fetch_add(unsafe { &raw mut (*load).under_way }, (work as u64).wrapping_neg());
        }
    }
    if lost & mark::ADMITTED != 0 {
        limits::leave(peer);
    }
}

/// The invocation that a flow carries is over, or is about to be bound elsewhere: it leaves the gauge, once, and what it
/// has carried is counted.
#[inline(always)]
pub fn release(flow: *mut Flow) {
    settle(flow);
    keep(flow, !mark::COUNTED);
}

/// Takes a flow whose connection is over out of all gauges, once.
#[inline(always)]
pub fn end(flow: *mut Flow) {
    settle(flow);
    keep(flow, !(mark::COUNTED | mark::ADMITTED));
}

/// Takes all marks of a flow away, and it out of all gauges.
#[inline(always)]
pub fn forget(flow: *mut Flow) {
    settle(flow);
    keep(flow, 0);
}

/// Counts what became of a connection with a peer.
#[inline(always)]
pub fn peer(number: u32, outcome: PeerOutcome) {
    if let Some(counts) = PEER_COUNTS.get_ptr_mut(number) {
        // SAFETY: counters of this CPU; the outcomes are fewer than the array has places.
        unsafe { *counts.cast::<u64>().add(outcome as usize) += 1 };
    }
}

/// Looks at a segment of the backend: the first with data ends the wait for the answer.
#[inline(always)]
pub fn answer(s: *mut Scratch, flow: *mut Flow) {
    // SAFETY: map values.
    unsafe {
        if (*s).segment.payload != 0 && (*flow).asked != 0 {
            first_byte(flow, (*s).now);
        }
    }
}

/// Counts the time to the first byte of an answer, once an invocation.
#[inline(never)]
fn first_byte(flow: *mut Flow, now: u64) {
    // SAFETY: map values; whoever wins the swap counts, and its counters are those of this CPU.
    unsafe {
        let asked = (*flow).asked;
        if asked == 0 || !atomic::swap(&raw mut (*flow).asked, asked, 0) {
            return;
        }
        (*flow).noted.first_byte = now;
        // Another CPU may have asked after `now` was read.
        let time = now.saturating_sub(asked);
        let Some(tally) = tally(flow, (*flow).backend_number) else { return };
        let at = opaque(bucket(time)) as usize;
        if at < BUCKETS {
            *(&raw mut (*tally).first_byte.buckets).cast::<u64>().add(at) += 1;
            (*tally).first_byte.sum += time;
        }
    }
}

/// Counts a request that a flow, claimed or held by this CPU, carries to its backend from now on.
#[inline(always)]
pub fn asked(flow: *mut Flow, now: u64, retried: bool) {
    // SAFETY: map value.
    unsafe {
        (*flow).asked = now;
        let backend = (*flow).backend_number;
        event(if backend == LOCAL { Event::BoundLocal } else { Event::BoundPeer });
        invocation(flow, backend, retried);
    }
}
