use std::time::Duration;

use crate::plan::Admission;

/// Admission is wider than a grant by this factor: invocations bunch on their way.
const SLACK: f64 = 1.1;

/// Connections a second that every node takes from every peer unasked: for a function that is not there and that nobody
/// granted anything for yet.
pub(super) const UNASKED: f64 = 0.5;

/// Connections that may come at once on top of a second's worth.
const BUNCH: f64 = 3.0;

/// Connections at one time: so many times what is under way if each takes its whole deadline, and some that idle.
const PLACES: f64 = 2.0;
const IDLE: f64 = 16.0;

/// Nothing is taken from peers while it would wait for longer than this part of the shortest deadline: they turn elsewhere
/// while they still can.
const PATIENCE: f64 = 0.3;

/// What is taken from a peer to which `granted` processors were granted, while `spare` are used by nobody: these are for
/// overflow, and whoever comes first has them. Never more than the `room` that own users leave, or what comes would be
/// late here, or refused by the gateway when no other node can take it any more. An invocation costs at least `cost` (s)
/// and is of use within its deadline, at most the first (s) and at least the second. What functions cost more is bounded by
/// the rate of each ([`peers_rate`]).
///
/// A drained node takes nothing at all.
pub(super) fn admission(
    granted: f64,
    (spare, room): (f64, f64),
    cost: f64,
    (deadline, shortest): (f64, f64),
    drained: bool,
) -> Admission {
    if drained {
        return Admission { inflight: 0, rate: 0.0, burst: 1.0, wait: None };
    }
    let rate = ((granted * SLACK + spare).min(room.max(granted)) / cost).max(UNASKED);
    let inflight = (rate * deadline * PLACES + IDLE).ceil().min(f64::from(u32::MAX));
    let wait = Duration::try_from_secs_f64(PATIENCE * shortest).ok();
    Admission { inflight: inflight as u32, rate, burst: rate + BUNCH, wait }
}

/// A function's limit is wider by this factor than what peers can have: it is met when the request is there already and
/// no other node can take it any more, and overflow comes in bunches. It stops what would drown the node; what is merely
/// above a grant is refused at the connection, where the peer turns elsewhere.
const WIDE: f64 = 10.0;

/// Invocations a second of a function that cost `cost` (s) that are taken from all peers together, if they have `room`
/// processors and used `used` of them; less where they used more than their room, by functions that each had a part of it.
pub(super) fn peers_rate(room: f64, used: f64, cost: f64) -> f64 {
    let fits = if used > room { room / used } else { 1.0 };
    (WIDE * room * fits / cost).max(UNASKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_let_in_by_its_grant_with_a_tenth_more_and_by_what_is_spare() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let some = admission(2.0, (0.0, 4.0), 0.1, (1.0, 0.5), false);
        assert!(close(some.rate, 22.0) && close(some.burst, 25.0), "{some:?}");
        assert_eq!((some.inflight, some.wait), (60, Some(Duration::from_millis(150))));
        assert!(close(admission(2.0, (1.0, 4.0), 0.1, (1.0, 0.5), false).rate, 32.0));
        assert!(
            close(admission(2.0, (1.0, 3.0), 0.1, (1.0, 0.5), false).rate, 30.0),
            "no more than there is room for"
        );
        assert!(close(admission(2.0, (0.0, 1.0), 0.1, (1.0, 0.5), false).rate, 20.0), "a grant is a promise");
        let none = admission(0.0, (0.0, 0.0), 0.1, (1.0, 0.5), false);
        assert_eq!((none.rate, none.burst, none.inflight), (0.5, 3.5, 17));
        assert_eq!(admission(2.0, (1.0, 4.0), 0.1, (1.0, 0.5), true).inflight, 0);
        let vast = admission(1e5, (1e5, 1e6), 1e-6, (1e9, f64::INFINITY), false);
        assert_eq!((vast.inflight, vast.wait), (u32::MAX, None), "nobody waits");
    }

    #[test]
    fn all_peers_together_have_ten_times_the_room_and_less_if_they_use_it() {
        assert_eq!(peers_rate(2.0, 1.0, 0.1), 200.0);
        assert_eq!(peers_rate(2.0, 4.0, 0.1), 100.0);
        assert_eq!(peers_rate(0.0, 0.0, 0.1), 0.5);
    }
}
