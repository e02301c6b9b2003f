//! What the path to a backend carries: as its route says, and as routers further on have said.

use dfaas_common::icmp::{believed, learn};

use super::maps::{PATHS, PEERS};

/// Segment size (MSS, bytes) that fits the path to a backend with an address of its own; 0: not known.
#[inline(always)]
pub fn segment_size(backend: u32, now: u64) -> u32 {
    let told = match PEERS.get(backend) {
        Some(peer) => peer.segment_size,
        None => 0,
    };
    let learnt = match PATHS.get(backend) {
        Some(path) => believed(*path, now),
        None => 0,
    };
    if learnt != 0 && (told == 0 || learnt < told) { learnt } else { told }
}

/// Notes that the path to a backend was found to carry this segment size.
#[inline(always)]
pub fn found(backend: u32, now: u64, size: u32) {
    if let Some(path) = PATHS.get_ptr_mut(backend) {
        // SAFETY: map value; what a race between two routers loses comes again.
        unsafe { *path = learn(*path, now, size) };
    }
}
