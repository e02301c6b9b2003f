//! The plan of one function as the kernel sees it: a single map value that user space replaces whole.

use crate::count::LOCAL;
use crate::opaque::opaque;
use crate::{MAX_FUNCTIONS, MAX_PEERS};

/// Most targets of a plan: the local gateway, sixteen peers, reject.
pub const MAX_TARGETS: usize = 18;

/// Most overflow candidates of a plan; a power of two.
pub const MAX_CANDIDATES: usize = 16;

/// Shares are parts of this.
pub const WHOLE: u32 = 65_536;

/// How a target is drawn; values of [`Plan::mode`].
pub mod mode {
    /// Independent random draws.
    pub const SHARE: u32 = 0;
    /// Evenly spaced draws.
    pub const SMOOTH: u32 = 1;
}

/// Bits of [`Plan::flags`].
pub mod flag {
    /// The local gateway serves what its limits allow; only what they refuse is drawn from the shares.
    pub const LOCAL_FIRST: u32 = 1;
}

/// A target with the sum of the shares up to and with its own.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanTarget {
    /// Backend number ([`crate::count::LOCAL`], a peer's, or [`crate::count::REJECT`]).
    pub backend: u32,
    /// Cumulative share; that of the last target, and of all unused places behind it, is [`WHOLE`].
    pub cumulative: u32,
}

/// The plan of a function. 512 bytes, so that what later versions need has a place.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Monotonic time (ns) after which everything is served locally.
    pub expires: u64,
    /// Nanoseconds between invocations at the local rate limit; 0: no limit.
    pub local_interval: u64,
    /// Most connections bound to the local gateway; 0: no limit.
    pub local_inflight: u32,
    /// One of [`mode`].
    pub mode: u32,
    /// Number of targets.
    pub count: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// The targets; see [`PlanTarget::cumulative`] for the places from `count` on.
    pub targets: [PlanTarget; MAX_TARGETS],
    /// Nanoseconds between invocations at the rate limit of each target that is a peer; 0: no limit,
    /// [`crate::bucket::NEVER`]: nothing.
    pub intervals: [u64; MAX_TARGETS],
    /// Nanoseconds between invocations that are taken from all peers together; 0: no limit,
    /// [`crate::bucket::NEVER`]: none is taken.
    pub peers_interval: u64,
    /// Bit i: target i is the local gateway.
    pub locals: u32,
    /// Work (us of one processor) that an invocation is expected to be; 0: unknown.
    pub work: u32,
    /// Expected wait (us) at the local gateway beyond which candidates are asked; `u32::MAX`: only once a limit is
    /// reached.
    pub overflow_above: u32,
    /// Expected wait (us) at the local gateway beyond which it takes none of its own users' invocations; 0: no limit.
    pub local_wait: u32,
    /// Number of candidates.
    pub candidates: u32,
    /// Backend numbers of peers that may take what exceeds the local limits.
    pub candidate: [u16; MAX_CANDIDATES],
    /// Zero.
    pub padding: u32,
    /// Zero.
    pub reserved: [u64; 16],
}

impl Plan {
    /// A plan without targets and limits that has always expired.
    pub const EMPTY: Self = Self {
        expires: 0,
        local_interval: 0,
        local_inflight: 0,
        mode: mode::SHARE,
        count: 0,
        flags: 0,
        targets: [PlanTarget { backend: 0, cumulative: 0 }; MAX_TARGETS],
        intervals: [0; MAX_TARGETS],
        peers_interval: 0,
        locals: 0,
        work: 0,
        overflow_above: u32::MAX,
        local_wait: 0,
        candidates: 0,
        candidate: [0; MAX_CANDIDATES],
        padding: 0,
        reserved: [0; 16],
    };

    /// Writes targets, as backend number and share, from the first place on; more than [`MAX_TARGETS`] are ignored.
    pub fn set_shares(&mut self, shares: impl Iterator<Item = (u32, u32)>) {
        let (mut count, mut cumulative) = (0, 0);
        self.locals = 0;
        for (target, (backend, share)) in self.targets.iter_mut().zip(shares) {
            cumulative += share;
            self.locals |= u32::from(backend == LOCAL) << count;
            count += 1;
            *target = PlanTarget { backend, cumulative };
        }
        self.count = count;
        for target in self.targets.iter_mut().skip(count as usize) {
            *target = PlanTarget { backend: 0, cumulative };
        }
    }

    /// Writes the overflow candidates; more than [`MAX_CANDIDATES`] are ignored.
    pub fn set_candidates(&mut self, backends: impl Iterator<Item = u16>) {
        self.candidates = 0;
        for (place, backend) in self.candidate.iter_mut().zip(backends) {
            *place = backend;
            self.candidates += 1;
        }
    }

    /// Limits a peer among the targets; see [`Plan::intervals`].
    pub fn limit(&mut self, backend: u32, interval: u64) {
        for (target, limit) in self.targets.iter().zip(&mut self.intervals).take(self.count as usize) {
            if target.backend == backend {
                *limit = interval;
            }
        }
    }
}

/// Whether a plan gives a backend invocations at all. Without branches, see [`crate::pick::pick`].
#[inline(always)]
#[must_use]
pub fn allows(plan: &Plan, backend: u32) -> bool {
    let (mut before, mut widths) = (0u32, 0u32);
    for target in &plan.targets {
        let same = opaque(((target.backend ^ backend) == 0) as u32);
        widths |= target.cumulative.wrapping_sub(before) * same;
        before = target.cumulative;
    }
    widths != 0 || (backend == LOCAL && plan.flags & flag::LOCAL_FIRST != 0)
}

/// What the programs remember of a function between invocations; a map of its own, so that a new plan wipes nothing.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionState {
    /// Theoretical arrival time of the local rate limit ([`crate::bucket`]).
    pub local_arrival: u64,
    /// Draws made so far.
    pub draws: u64,
    /// Theoretical arrival time of the limit of what is taken from peers.
    pub peers_arrival: u64,
}

/// Index of a function's rate limit towards a peer, in the map of theoretical arrival times ([`crate::bucket`]).
#[inline(always)]
#[must_use]
pub const fn rate_index(function: u32, backend: u32) -> u32 {
    function * (MAX_PEERS + 1) + backend
}

/// Number of such indexes.
pub const RATES: u32 = rate_index(MAX_FUNCTIONS, 0);

/// Longest function name, namespace included.
pub const NAME_BYTES: usize = 64;

/// A function name as a map key: the bytes, then zeros; at most 63 bytes of name.
pub type Name = [u8; NAME_BYTES];

/// The key of a name; `None` if it is empty, too long or has bytes that no function name has.
#[must_use]
pub fn name_key(name: &str) -> Option<Name> {
    if name.is_empty() || name.len() >= NAME_BYTES || !name.bytes().all(crate::request::is_name_byte) {
        return None;
    }
    let mut key = [0; NAME_BYTES];
    key[..name.len()].copy_from_slice(name.as_bytes());
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_512_bytes() {
        assert_eq!(size_of::<Plan>(), 512);
    }

    #[test]
    fn a_plan_knows_which_targets_are_the_gateway_and_what_limits_the_others() {
        let mut plan = Plan::EMPTY;
        plan.set_shares([(3, 10_000), (LOCAL, 20_000), (5, 35_536)].into_iter());
        plan.limit(5, 1000);
        assert_eq!((plan.locals, plan.intervals[..4].to_vec()), (0b10, vec![0, 0, 1000, 0]));
        plan.set_shares([(5, WHOLE)].into_iter());
        assert_eq!(plan.locals, 0, "places without a target are nobody");
    }

    #[test]
    fn a_plan_allows_whom_it_gives_a_share() {
        let mut plan = Plan::EMPTY;
        plan.set_shares([(3, 10_000), (4, 0), (5, WHOLE - 10_000)].into_iter());
        assert_eq!([3, 4, 5, 6, LOCAL].map(|b| allows(&plan, b)), [true, false, true, false, false]);
        plan.flags |= flag::LOCAL_FIRST;
        assert!(allows(&plan, LOCAL));
    }

    #[test]
    fn names_that_no_function_can_have_have_no_key() {
        assert!(name_key("").is_none());
        assert!(name_key("a b").is_none());
        assert!(name_key(&"x".repeat(64)).is_none());
        assert_eq!(name_key("fig.ns").map(|k| k[..7].to_vec()), Some(b"fig.ns\0".to_vec()));
        assert!(name_key(&"x".repeat(63)).is_some());
    }
}
