//! Atomic operations on map values. `core::sync::atomic` offers none for this target, so they are instructions.

use core::arch::asm;

/// Adds and returns the value before. `p` must point to an aligned `u64` of a map value.
#[inline(always)]
pub fn fetch_add(p: *mut u64, value: u64) -> u64 {
    let mut r = value;
    // SAFETY: the verifier checks that `p` is inside a map value; the instruction touches nothing else.
    unsafe { asm!("{r} = atomic_fetch_add((u64 *)({p} + 0), {r})", r = inout(reg) r, p = in(reg) p) };
    r
}

/// Sets bits and returns the value before.
#[inline(always)]
pub fn fetch_or(p: *mut u64, bits: u64) -> u64 {
    let mut r = bits;
    // SAFETY: as in `fetch_add`.
    unsafe { asm!("{r} = atomic_fetch_or((u64 *)({p} + 0), {r})", r = inout(reg) r, p = in(reg) p) };
    r
}

/// Keeps only these bits and returns the value before.
#[inline(always)]
pub fn fetch_and(p: *mut u64, bits: u64) -> u64 {
    let mut r = bits;
    // SAFETY: as in `fetch_add`.
    unsafe { asm!("{r} = atomic_fetch_and((u64 *)({p} + 0), {r})", r = inout(reg) r, p = in(reg) p) };
    r
}

/// Compare-and-swap; whether this CPU won.
#[inline(always)]
pub fn swap(p: *mut u64, old: u64, new: u64) -> bool {
    let mut r = old;
    // SAFETY: as in `fetch_add`; the instruction compares with r0 and leaves the old value there.
    unsafe { asm!("r0 = cmpxchg_64({p} + 0, r0, {n})", p = in(reg) p, n = in(reg) new, inout("r0") r) };
    r == old
}
