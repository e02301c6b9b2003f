//! Limits by rate, by connections that are bound now, and by expected waits.

use dfaas_common::bucket::{TOLERANCE, admit_within, carried};
use dfaas_common::choice::waits_too_long;
use dfaas_common::count::LOCAL;
use dfaas_common::plan::rate_index;

use super::atomic;
use super::maps::{ADMISSIONS, FUNCTIONS, LOADS, PEER_BOUND, PEER_RATES, PEERS, REPORTS};

/// Takes one from a bucket; `interval` 0 is no limit.
#[inline(never)]
fn take(arrival: *mut u64, now: u64, interval: u64, tolerance: u64) -> bool {
    if interval == 0 {
        return true;
    }
    for _ in 0..4 {
        // SAFETY: map value; the swap detects that another CPU was faster.
        let before = unsafe { *arrival };
        match admit_within(carried(before, now, interval, tolerance), now, interval, tolerance) {
            None => return false,
            Some(next) if atomic::swap(arrival, before, next) => return true,
            Some(_) => {}
        }
    }
    // Lost four races in a row: as many were just admitted, one more does no harm.
    true
}

/// Adds one to a gauge unless that would pass `limit` (0: none).
#[inline(always)]
pub fn enter(gauge: *mut u64, limit: u32) -> bool {
    if atomic::fetch_add(gauge, 1) >= limit as u64 && limit != 0 {
        atomic::fetch_add(gauge, u64::MAX);
        return false;
    }
    true
}

/// Whether an invocation is expected to wait at the local gateway for longer than this (us); 0: no wait is too long.
#[inline(always)]
pub fn too_long(most: u32) -> bool {
    match (REPORTS.get(LOCAL), LOADS.get(LOCAL)) {
        (Some(report), Some(load)) => waits_too_long(most, report, load),
        _ => false,
    }
}

/// Takes one invocation from the local rate limit of a function.
#[inline(always)]
pub fn local_rate(function: u32, now: u64, interval: u64) -> bool {
    let Some(state) = FUNCTIONS.get_ptr_mut(function) else { return true };
    // SAFETY: map value.
    take(unsafe { &raw mut (*state).local_arrival }, now, interval, TOLERANCE)
}

/// Takes one invocation from what peers may have of a function.
#[inline(always)]
pub fn peers_rate(function: u32, now: u64, interval: u64) -> bool {
    let Some(state) = FUNCTIONS.get_ptr_mut(function) else { return true };
    // SAFETY: map value.
    take(unsafe { &raw mut (*state).peers_arrival }, now, interval, TOLERANCE)
}

/// Takes one invocation from what a function may send to a peer.
#[inline(always)]
pub fn peer_rate(function: u32, backend: u32, now: u64, interval: u64) -> bool {
    let Some(arrival) = PEER_RATES.get_ptr_mut(rate_index(function, backend)) else { return true };
    take(arrival, now, interval, TOLERANCE)
}

/// Whether one more connection is taken from a peer; it then counts as bound. `place`: it already does, as it follows
/// another on the same flow.
#[inline(never)]
pub fn admit(peer: u32, now: u64, place: bool) -> bool {
    let Some(limits) = PEERS.get(peer) else { return false };
    let Some(bound) = PEER_BOUND.get_ptr_mut(peer) else { return false };
    let Some(arrival) = ADMISSIONS.get_ptr_mut(peer) else { return false };
    // What already waits here too long would only be late, or refused when no other node can take it any more.
    if too_long(limits.wait) {
        return false;
    }
    // In this order, so that a refusal for want of a place takes nothing from the rate.
    if !place && !enter(bound, limits.inflight) {
        return false;
    }
    let admitted = take(arrival, now, limits.interval, limits.tolerance);
    if !admitted && !place {
        atomic::fetch_add(bound, u64::MAX);
    }
    admitted
}

/// Takes a connection out of those bound of a peer.
#[inline(always)]
pub fn leave(peer: u32) {
    if let Some(bound) = PEER_BOUND.get_ptr_mut(peer) {
        atomic::fetch_add(bound, u64::MAX);
    }
}
