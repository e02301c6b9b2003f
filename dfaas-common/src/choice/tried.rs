//! What is remembered between the choices for one request, in one number.

use crate::BACKENDS;
use crate::plan::MAX_TARGETS;

/// Bit i: target i of the plan has been tried.
pub const TARGETS: u32 = (1 << MAX_TARGETS) - 1;

/// Where the number of the backend that refused first stands; 0: none has, or the local gateway.
const REFUSED_AT: u32 = MAX_TARGETS as u32;
const REFUSED: u32 = 0x7f;
const _: () = assert!(BACKENDS <= REFUSED + 1 && REFUSED << REFUSED_AT < LIMITED);

/// A limit stood in the way of a backend.
pub const LIMITED: u32 = 1 << 29;
/// Another backend has been tried after a refusal.
pub const RETRIED: u32 = 1 << 30;
/// The local gateway has been tried or is not to be.
pub const LOCAL: u32 = 1 << 31;

/// The bits that say that this backend has refused.
#[inline(always)]
#[must_use]
pub const fn refused(backend: u32) -> u32 {
    (backend & REFUSED) << REFUSED_AT
}

/// Whether this peer has refused.
#[inline(always)]
#[must_use]
pub const fn has_refused(tried: u32, peer: u32) -> bool {
    tried >> REFUSED_AT & REFUSED == peer
}
