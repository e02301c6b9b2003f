//! Counting.

use aya_ebpf::bindings::BPF_NOEXIST;
use dfaas_common::count::{CountKey, DropReason, Event, origin};
use dfaas_common::flow::{Flow, mark};

use super::atomic;
use super::maps::{BOUND, DROPS, HAPPENED, INVOCATIONS};
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

/// Counts a flow as bound to `backend`, unless that would pass `limit` (0: none); whether it was counted.
#[inline(never)]
pub fn bind(flow: *mut Flow, function: u32, backend: u32, limit: u32) -> bool {
    let Some(gauge) = gauge(function, backend) else { return false };
    if atomic::fetch_add(gauge, 1) >= limit as u64 && limit != 0 {
        atomic::fetch_add(gauge, u64::MAX);
        return false;
    }
    // SAFETY: a flow that this CPU has claimed.
    atomic::fetch_or(unsafe { &raw mut (*flow).marks }, mark::COUNTED);
    true
}

/// Takes a flow out of the gauge, once.
#[inline(always)]
pub fn release(flow: *mut Flow) {
    // SAFETY: a map value; the bit decides who decrements.
    let (before, function, backend) = unsafe {
        (atomic::fetch_and(&raw mut (*flow).marks, !mark::COUNTED), (*flow).function, (*flow).backend_number)
    };
    if before & mark::COUNTED != 0
        && let Some(gauge) = gauge(function, backend)
    {
        atomic::fetch_add(gauge, u64::MAX);
    }
}
