use std::time::Duration;

use crate::id::Time;

/// How long a node is cold.
const SLOW_START: Duration = Duration::from_secs(30);

/// The part of its headroom that a node gives when it has just come.
const FIRST: f64 = 0.25;

/// How long a node has been there, and whether it is about to go.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Life {
    begun: Option<Time>,
    /// Takes nothing new.
    pub draining: bool,
}

impl Life {
    /// The part of its headroom that the node gives away: it grows over 30 s, while costs are learnt and caches fill. A
    /// node all of whose functions have a `max_rate` is `vouched` for: somebody has said what it can serve, and it gives
    /// that at once.
    pub(super) fn warmth(&mut self, now: Time, vouched: bool) -> f64 {
        let begun = *self.begun.get_or_insert(now);
        if vouched {
            return 1.0;
        }
        let grown = now.since(begun).as_secs_f64() / SLOW_START.as_secs_f64();
        (FIRST + (1.0 - FIRST) * grown).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_node_gives_a_quarter_and_more_as_time_passes() {
        let mut life = Life::default();
        let warmth = |life: &mut Life, seconds| life.warmth(Time(Duration::from_secs(seconds)), false);
        assert_eq!(warmth(&mut life, 100), 0.25);
        assert_eq!(warmth(&mut life, 110), 0.5);
        assert_eq!(warmth(&mut life, 130), 1.0);
        assert_eq!(warmth(&mut life, 9_000), 1.0);
        assert_eq!(Life::default().warmth(Time::default(), true), 1.0);
    }
}
