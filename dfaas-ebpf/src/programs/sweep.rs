//! Looking through the whole flow table for dead flows.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_loop;

use super::flows;
use super::maps::CONFIG;
use super::skb::now;

#[repr(C)]
struct Walk {
    now: u64,
}

extern "C" fn step(i: u64, walk: *mut Walk) -> i64 {
    // SAFETY: the context is the one given to the loop below.
    flows::sweep(i as u32, unsafe { (*walk).now });
    0
}

/// Frees every flow that has been without packets for too long.
#[inline(always)]
pub fn all() {
    let Some(config) = CONFIG.get(0) else { return };
    let mut walk = Walk { now: now() };
    // SAFETY: the callback gets the context given here.
    unsafe { bpf_loop(config.max_flows, step as *mut c_void, (&raw mut walk).cast(), 0) };
}
