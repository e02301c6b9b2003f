//! The plan of one function as the kernel sees it: a single map value that user space replaces whole.

/// Most targets of a plan: the local gateway, sixteen peers, reject.
pub const MAX_TARGETS: usize = 18;

/// Shares are parts of this.
pub const WHOLE: u32 = 65_536;

/// How a target is drawn; values of [`Plan::mode`].
pub mod mode {
    /// Independent random draws.
    pub const SHARE: u32 = 0;
    /// Evenly spaced draws.
    pub const SMOOTH: u32 = 1;
}

/// A target with the sum of the shares up to and with its own.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanTarget {
    /// Backend number ([`crate::count::LOCAL`], a peer's, or [`crate::count::REJECT`]).
    pub backend: u32,
    /// Cumulative share; that of the last target is [`WHOLE`].
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
    /// Zero.
    pub padding: u32,
    /// The targets; those from `count` on are zero.
    pub targets: [PlanTarget; MAX_TARGETS],
    /// Zero.
    pub reserved: [u64; 42],
}

impl Plan {
    /// A plan without targets and limits that has always expired.
    pub const EMPTY: Self = Self {
        expires: 0,
        local_interval: 0,
        local_inflight: 0,
        mode: mode::SHARE,
        count: 0,
        padding: 0,
        targets: [PlanTarget { backend: 0, cumulative: 0 }; MAX_TARGETS],
        reserved: [0; 42],
    };
}

/// What the programs remember of a function between invocations; a map of its own, so that a new plan wipes nothing.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionState {
    /// Theoretical arrival time of the local rate limit ([`crate::bucket`]).
    pub local_arrival: u64,
    /// Draws made so far.
    pub draws: u64,
}

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
    fn names_that_no_function_can_have_have_no_key() {
        assert!(name_key("").is_none());
        assert!(name_key("a b").is_none());
        assert!(name_key(&"x".repeat(64)).is_none());
        assert_eq!(name_key("fig.ns").map(|k| k[..7].to_vec()), Some(b"fig.ns\0".to_vec()));
        assert!(name_key(&"x".repeat(63)).is_some());
    }
}
