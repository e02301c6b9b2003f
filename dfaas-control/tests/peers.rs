//! The table of peers: who lives, by beats that may come late, twice or in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{Heard, NodeId, PeerTable, Time};
use proptest::prelude::*;

const B: NodeId = NodeId(2);
const C: NodeId = NodeId(3);
const PERIOD: Duration = Duration::from_secs(1);

fn at(milliseconds: u64) -> Time {
    Time(Duration::from_millis(milliseconds))
}

fn living(table: &PeerTable) -> Vec<NodeId> {
    table.living().collect()
}

#[test]
fn a_peer_lives_from_its_first_beat_until_three_periods_without_one() {
    let mut table = PeerTable::default();
    assert_eq!(table.next_expiry(), None);
    assert_eq!(table.heard(at(0), B, 7, 1, PERIOD), Heard::New);
    assert_eq!(table.heard(at(1_000), B, 7, 2, PERIOD), Heard::Fresh);
    assert_eq!(table.next_expiry(), Some(at(4_000)));
    assert_eq!(table.expire(at(3_999)), []);
    assert!(table.lives(B));
    assert_eq!(table.expire(at(4_000)), [B]);
    assert_eq!(table.expire(at(5_000)), [], "told once");
    assert_eq!((living(&table), table.next_expiry()), (vec![], None));
}

#[test]
fn replayed_and_stale_beats_do_not_keep_a_peer_alive() {
    let mut table = PeerTable::default();
    table.heard(at(0), B, 7, 5, PERIOD);
    assert_eq!(table.heard(at(2_000), B, 7, 5, PERIOD), Heard::Replayed);
    assert_eq!(table.heard(at(2_000), B, 7, 4, PERIOD), Heard::Replayed);
    assert_eq!(table.heard(at(2_000), B, 6, 900, PERIOD), Heard::Stale);
    assert_eq!(table.expire(at(3_000)), [B]);
}

#[test]
fn a_restarted_peer_counts_its_beats_anew() {
    let mut table = PeerTable::default();
    table.heard(at(0), B, 7, 5_000, PERIOD);
    assert_eq!(table.heard(at(100), B, 8, 1, PERIOD), Heard::Restarted);
    assert_eq!(table.heard(at(200), B, 7, 5_001, PERIOD), Heard::Stale);
    assert_eq!(table.incarnation_of(B), Some(8));
}

#[test]
fn an_old_beat_does_not_bring_a_peer_back_and_a_newer_one_does() {
    let mut table = PeerTable::default();
    table.heard(at(0), B, 7, 5, PERIOD);
    assert!(table.leave(at(100), B));
    assert!(!table.leave(at(100), B), "it is gone already");
    assert_eq!(table.heard(at(200), B, 7, 4, PERIOD), Heard::Replayed);
    assert_eq!(table.heard(at(200), B, 6, 9, PERIOD), Heard::Stale);
    assert_eq!(living(&table), []);
    assert_eq!(table.incarnation_of(B), Some(7), "what a run with a lower number must be told");
    assert_eq!(table.heard(at(300), B, 7, 6, PERIOD), Heard::New);
    table.expire(at(9_000));
    assert_eq!(table.heard(at(9_100), B, 8, 1, PERIOD), Heard::New);
}

#[test]
fn after_ten_minutes_even_a_lower_number_is_welcome() {
    // Its clock was years ahead in the run before, and nobody was there to tell it.
    let mut table = PeerTable::default();
    table.heard(at(0), B, u64::MAX, u64::MAX, PERIOD);
    table.expire(at(3_000));
    assert_eq!(table.heard(at(602_999), B, 7, 1, PERIOD), Heard::Stale);
    assert_eq!(table.heard(at(603_000), B, 7, 1, PERIOD), Heard::New);
}

#[test]
fn no_period_is_so_short_or_long_that_it_makes_a_peer_vanish_or_stay() {
    let mut table = PeerTable::default();
    table.heard(at(0), B, 1, 1, Duration::ZERO);
    table.heard(at(0), C, 1, 1, Duration::MAX);
    assert_eq!(table.expire(at(299)), []);
    assert_eq!(table.expire(at(300)), [B]);
    assert_eq!(table.expire(at(179_999)), []);
    assert_eq!(table.expire(at(180_000)), [C]);
    // At the end of time nothing overflows either.
    assert_eq!(table.heard(Time(Duration::MAX), B, 1, 2, PERIOD), Heard::New);
}

#[test]
fn of_many_nodes_that_went_the_oldest_is_forgotten() {
    let mut table = PeerTable::default();
    let come_and_go = |table: &mut PeerTable, id: u64| {
        table.heard(at(id), NodeId(id), 9, 9, PERIOD);
        table.leave(at(id), NodeId(id));
    };
    (0..1024).for_each(|id| come_and_go(&mut table, id));
    // One that comes back makes room.
    table.heard(at(1_024), NodeId(500), 9, 10, PERIOD);
    come_and_go(&mut table, 1_024);
    assert_eq!(table.incarnation_of(NodeId(0)), Some(9));
    come_and_go(&mut table, 1_025);
    assert_eq!(table.incarnation_of(NodeId(0)), None);
    assert_eq!(table.incarnation_of(NodeId(1)), Some(9));
    assert_eq!(table.heard(at(2_000), NodeId(1), 9, 9, PERIOD), Heard::Replayed);
}

proptest! {
    #[test]
    fn no_order_of_beats_makes_a_peer_younger(
        // All of it within ten minutes, so that nothing is forgotten.
        beats in proptest::collection::vec((0_u64..3, 0_u64..4, 0_u64..6, 0_u64..2_900, 0_u8..8), 1..200)
    ) {
        let mut table = PeerTable::default();
        let mut newest: BTreeMap<NodeId, (u64, u64)> = BTreeMap::new();
        let mut now = 0;
        for (node, incarnation, sequence, wait, event) in beats {
            now += wait;
            let node = NodeId(node);
            match event {
                0 => { table.expire(at(now)); }
                1 => { table.leave(at(now), node); }
                _ => {
                    let mark = (incarnation, sequence);
                    let (before, lived) = (newest.get(&node).copied(), table.lives(node));
                    let expected = match before {
                        Some(before) if incarnation < before.0 => Heard::Stale,
                        Some(before) if mark <= before => Heard::Replayed,
                        _ if !lived => Heard::New,
                        Some(before) if incarnation > before.0 => Heard::Restarted,
                        _ => Heard::Fresh,
                    };
                    prop_assert_eq!(table.heard(at(now), node, incarnation, sequence, PERIOD), expected);
                    if matches!(expected, Heard::Stale | Heard::Replayed) {
                        prop_assert_eq!(table.lives(node), lived, "an old beat changes nothing");
                    } else {
                        newest.insert(node, mark);
                    }
                }
            }
            for (node, mark) in &newest {
                prop_assert_eq!(table.incarnation_of(*node), Some(mark.0));
            }
        }
    }

    #[test]
    fn a_silent_peer_is_out_within_four_of_the_longer_period_when_only_ticks_look(
        theirs in 100_u64..60_000, own in 100_u64..60_000, phase in 0_u64..60_000, beats in 1_u64..20
    ) {
        let mut table = PeerTable::default();
        let mut tick = phase % own;
        let mut last = 0;
        for beat in 0..beats {
            last = beat * theirs;
            while tick < last {
                table.expire(at(tick));
                tick += own;
            }
            table.heard(at(last), B, 1, beat + 1, Duration::from_millis(theirs));
        }
        while table.lives(B) {
            prop_assert!(tick <= last + 4 * theirs.max(own), "still there at {tick}");
            table.expire(at(tick));
            tick += own;
        }
        prop_assert!(tick > last + 3 * theirs, "out too early");
    }
}
