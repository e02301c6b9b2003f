//! This node's own incarnation: clocks that went back, twins, and liars.

use std::time::Duration;

use dfaas_control::{Contest, Incarnation, NodeId, Random, Time};
use proptest::prelude::*;

/// A wall clock of 2026, in milliseconds.
const CLOCK: u64 = 1_790_000_000_000;
const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);
const REACH: u64 = 1 << 42;

/// The same bits each time.
struct Loaded(u64);

impl Random for Loaded {
    fn next_u64(&mut self) -> u64 {
        self.0
    }
}

fn at(seconds: u64) -> Time {
    Time(Duration::from_secs(seconds))
}

/// Peer and what it has seen, `second` after the start; two peers live.
fn say(own: &mut Incarnation, second: u64, peer: NodeId, seen: u64) -> Contest {
    own.contested(at(second), peer, seen, 2, &mut Loaded(0))
}

#[test]
fn a_peer_that_knows_this_run_or_an_older_one_or_none_changes_nothing() {
    let mut own = Incarnation::new(CLOCK);
    for seen in [0, 1, CLOCK - 1, CLOCK] {
        assert_eq!(say(&mut own, 0, B, seen), Contest::Agreed);
    }
    assert_eq!(own.current(), CLOCK);
    assert_eq!(Incarnation::new(0).current(), 1, "0 means unknown in a beat");
}

#[test]
fn a_machine_that_starts_in_1970_gets_above_its_last_run() {
    let mut own = Incarnation::new(12_000);
    assert_eq!(say(&mut own, 1, B, CLOCK), Contest::Jumped);
    assert_eq!(own.current(), CLOCK + 1);
    assert_eq!(say(&mut own, 1, C, CLOCK), Contest::Agreed);
    assert_eq!(say(&mut own, 2, B, CLOCK + 1), Contest::Agreed);
    assert!(!own.conflict(at(2)));
}

#[test]
fn peers_that_remember_different_runs_contest_once_each_and_make_no_conflict() {
    let mut own = Incarnation::new(100);
    for id in 0..20 {
        assert_eq!(own.contested(at(1), NodeId(id), 200 + id * 10, 20, &mut Loaded(0)), Contest::Jumped);
    }
    assert_eq!(own.current(), 391);
}

#[test]
fn a_second_agent_with_this_identity_is_noticed_and_this_one_falls_silent_for_a_random_while() {
    let conflict = |random: u64| {
        let mut own = Incarnation::new(CLOCK);
        let mut told = Vec::new();
        // The twin jumps above this one each time, and both peers tell.
        for (second, peer) in [(1, B), (2, C), (3, B), (4, C)] {
            let seen = own.current() + 1;
            told.push(own.contested(at(second), peer, seen, 2, &mut Loaded(random)));
        }
        assert_eq!(told, [Contest::Jumped, Contest::Jumped, Contest::Jumped, Contest::Conflict]);
        own
    };
    let (soon, late) = (conflict(0), conflict(u64::MAX));
    assert!(soon.conflict(at(4)) && soon.conflict(at(63)) && !soon.conflict(at(64)));
    assert!(late.conflict(at(123)) && !late.conflict(at(124)));

    // While it is silent nothing moves it; then it tries again.
    let mut own = soon;
    let before = own.current();
    assert_eq!(say(&mut own, 10, B, before + 1), Contest::Ignored);
    assert_eq!(own.current(), before);
    assert_eq!(say(&mut own, 64, B, before + 1), Contest::Jumped);
}

#[test]
fn jumps_that_lie_far_apart_are_no_conflict() {
    let mut own = Incarnation::new(CLOCK);
    for (index, peer) in [B, C, B, C, B, C, B, C].into_iter().enumerate() {
        let seen = own.current() + 1;
        assert_eq!(say(&mut own, 10 * index as u64, peer, seen), Contest::Jumped);
    }
}

#[test]
fn one_peer_alone_moves_it_three_times_in_half_a_minute_and_then_is_not_believed() {
    let mut own = Incarnation::new(CLOCK);
    let lie = |own: &mut Incarnation, second| {
        let seen = own.current() + 1_000;
        say(own, second, B, seen)
    };
    for second in [0, 1, 2] {
        assert_eq!(lie(&mut own, second), Contest::Jumped);
    }
    assert_eq!(lie(&mut own, 3), Contest::Ignored);
    assert_eq!(own.current(), CLOCK + 3 * 1_001);
    assert!(!own.conflict(at(3)));
    // An honest peer that remembers something higher is still believed, and does not complete a conflict.
    let seen = own.current() + 5;
    assert_eq!(say(&mut own, 4, C, seen), Contest::Jumped);
    assert_eq!(lie(&mut own, 5), Contest::Ignored);
    assert_eq!(lie(&mut own, 40), Contest::Jumped);
}

#[test]
fn the_only_peer_there_is_can_tell_of_a_twin_alone() {
    let mut own = Incarnation::new(CLOCK);
    let mut told = Contest::Agreed;
    for second in 0..4 {
        let seen = own.current() + 1;
        told = own.contested(at(second), B, seen, 1, &mut Loaded(0));
    }
    assert_eq!(told, Contest::Conflict);
}

#[test]
fn a_number_that_no_run_can_have_had_is_a_lie() {
    let mut own = Incarnation::new(CLOCK);
    for seen in [u64::MAX, u64::MAX - 1, CLOCK + REACH] {
        assert_eq!(say(&mut own, 0, B, seen), Contest::Implausible);
    }
    assert_eq!(own.current(), CLOCK);
    assert_eq!(say(&mut own, 0, B, CLOCK + REACH - 1), Contest::Jumped);
    // A later run begins at a later guess and can get above that.
    let mut next = Incarnation::new(CLOCK + 1);
    assert_eq!(say(&mut next, 0, C, own.current()), Contest::Jumped);
}

proptest! {
    #[test]
    fn whatever_peers_say_it_only_grows_within_its_reach(
        guess: u64, claims in proptest::collection::vec((0_u64..3, any::<u64>(), 0_u64..40), 0..100)
    ) {
        let mut own = Incarnation::new(guess);
        let mut second = 0;
        for (peer, claim, wait) in claims {
            second += wait;
            let before = own.current();
            // Half of the claims are near, where they matter.
            let seen = if claim % 2 == 0 { claim } else { before.saturating_add(claim % 1_000) };
            let told = own.contested(at(second), NodeId(peer), seen, 3, &mut Loaded(claim));
            prop_assert_eq!(own.current() > before, told == Contest::Jumped);
            prop_assert!(own.current() >= before);
            prop_assert!(own.current() <= guess.max(1).saturating_add(REACH));
            if told == Contest::Jumped {
                prop_assert!(own.current() > seen, "above what was contested");
            }
        }
    }

    #[test]
    fn one_liar_among_honest_peers_never_silences_this_node(
        claims in proptest::collection::vec((any::<u64>(), 0_u64..10), 0..100)
    ) {
        let mut own = Incarnation::new(CLOCK);
        let mut second = 0;
        for (claim, wait) in claims {
            second += wait;
            let seen = own.current().saturating_add(claim % 5_000);
            say(&mut own, second, B, seen);
            // The honest one has seen what was sent to it.
            let told = own.current();
            prop_assert_eq!(say(&mut own, second, C, told), Contest::Agreed);
            prop_assert!(!own.conflict(at(second)));
        }
    }
}
