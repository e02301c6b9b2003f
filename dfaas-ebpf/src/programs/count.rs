//! Counting.

use aya_ebpf::bindings::BPF_NOEXIST;
use dfaas_common::count::{CountKey, DropReason, Event, PeerOutcome, origin};
use dfaas_common::first_byte::{BUCKETS, FirstByte, bucket};
use dfaas_common::flow::{Flow, mark};
use dfaas_common::opaque::opaque;

use super::atomic;
use super::limits;
use super::maps::{BOUND, DROPS, FIRST_BYTE, HAPPENED, INVOCATIONS, PEER_COUNTS};
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

/// Counts an invocation.
#[inline(never)]
pub fn invocation(function: u32, backend: u32, origin: u16) {
    let key = CountKey { function, backend: backend as u16, origin };
    if let Some(p) = INVOCATIONS.get_ptr_mut(&key) {
        // SAFETY: a counter of this CPU.
        unsafe { *p += 1 };
    } else {
        // Another CPU may insert at the same time; adding to what is there then loses nothing.
        let zero = 0u64;
        let _ = INVOCATIONS.insert(&key, &zero, BPF_NOEXIST as u64);
        if let Some(p) = INVOCATIONS.get_ptr_mut(&key) {
            // SAFETY: a counter of this CPU.
            unsafe { *p += 1 };
        }
    }
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

/// Counts a flow as bound to `backend`; `false` if that would pass `limit` (0: none). Without memory for another gauge
/// the flow is bound uncounted.
#[inline(never)]
pub fn bind(flow: *mut Flow, function: u32, backend: u32, limit: u32) -> bool {
    let Some(gauge) = gauge(function, backend) else { return true };
    if !limits::enter(gauge, limit) {
        return false;
    }
    // SAFETY: a flow that this CPU has claimed.
    atomic::fetch_or(unsafe { &raw mut (*flow).marks }, mark::COUNTED);
    true
}

/// Keeps only these marks of a flow; one that loses [`mark::COUNTED`] or [`mark::ADMITTED`] by it leaves the gauge.
#[inline(always)]
fn keep(flow: *mut Flow, marks: u64) {
    // SAFETY: a map value; the bits decide who decrements.
    let (before, function, backend, peer) = unsafe {
        let before = atomic::fetch_and(&raw mut (*flow).marks, marks);
        (before, (*flow).function, (*flow).backend_number, (*flow).peer)
    };
    let lost = before & !marks;
    if lost & mark::COUNTED != 0
        && let Some(gauge) = gauge(function, backend)
    {
        atomic::fetch_add(gauge, u64::MAX);
    }
    if lost & mark::ADMITTED != 0 {
        limits::leave(peer);
    }
}

/// Takes a flow out of the gauge of its backend, once; it is about to be bound again.
#[inline(always)]
pub fn release(flow: *mut Flow) {
    keep(flow, !mark::COUNTED);
}

/// Takes a flow whose invocation is over out of all gauges, once.
#[inline(always)]
pub fn end(flow: *mut Flow) {
    keep(flow, !(mark::COUNTED | mark::ADMITTED));
}

/// Takes all marks of a flow away, and it out of all gauges.
#[inline(always)]
pub fn forget(flow: *mut Flow) {
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

/// No answer yet, in memory that outlives every program run: the stack is scarce.
static NO_ANSWER: FirstByte = FirstByte::EMPTY;

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

/// Counts the time to the first byte of an answer, once a flow.
#[inline(never)]
fn first_byte(flow: *mut Flow, now: u64) {
    // SAFETY: map values; whoever wins the swap counts, and its counters are those of this CPU.
    unsafe {
        let asked = (*flow).asked;
        if asked == 0 || !atomic::swap(&raw mut (*flow).asked, asked, 0) {
            return;
        }
        // Another CPU may have asked after `now` was read.
        let time = now.saturating_sub(asked);
        let backend = (*flow).backend_number as u16;
        let key = CountKey { function: (*flow).function, backend, origin: origin::USER };
        if FIRST_BYTE.get_ptr(&key).is_none() {
            let _ = FIRST_BYTE.insert(&key, &NO_ANSWER, BPF_NOEXIST as u64);
        }
        let Some(counts) = FIRST_BYTE.get_ptr_mut(&key) else { return };
        let at = opaque(bucket(time)) as usize;
        if at < BUCKETS {
            *(&raw mut (*counts).buckets).cast::<u64>().add(at) += 1;
            (*counts).sum += time;
        }
    }
}
