use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A node of the federation. What the number stands for (a libp2p peer, a line of a configuration file, a simulated
/// machine) is the host's affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// A function. The same function has the same number on every node, because messages between nodes carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FunctionId(pub u64);

impl NodeId {
    /// The number of a node that is known by name only.
    pub fn from_name(name: &str) -> Self {
        Self(fnv1a(name.as_bytes()))
    }
}

impl FunctionId {
    /// The number of the function of this canonical name.
    pub fn from_name(name: &str) -> Self {
        Self(fnv1a(name.as_bytes()))
    }
}

/// 64-bit FNV-1a: stable over versions and machines, unlike the standard library's hashers. It protects from nobody
/// who wants two inputs of one value.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A moment on the host's monotonic clock, counted from a start that only the host knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(pub Duration);

impl Time {
    /// Time passed since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `wait` later; the end of time where that cannot be told.
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_the_published_fnv_1a_value_on_every_machine() {
        assert_eq!(FunctionId::from_name("").0, 0xcbf2_9ce4_8422_2325);
        assert_eq!(FunctionId::from_name("a").0, 0xaf63_dc4c_8601_ec8c);
        assert_eq!(NodeId::from_name("foobar").0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn time_never_runs_backwards_for_a_strategy() {
        let early = Time(Duration::from_secs(1));
        let late = Time(Duration::from_secs(3));
        assert_eq!(late.since(early), Duration::from_secs(2));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.after(Duration::from_secs(2)), late);
        assert_eq!(late.after(Duration::MAX), Time(Duration::MAX));
    }
}
