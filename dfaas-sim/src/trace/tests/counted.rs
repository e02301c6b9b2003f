//! Counters that are read as a trace.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::trace::{Counters, Grown, Known, RecordingWriter, SeriesKey, read_recording};

fn values(values: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
    values.iter().copied().collect()
}

fn counts(values: &[(&'static str, f64)]) -> BTreeMap<&'static str, f64> {
    values.iter().copied().collect()
}

#[test]
fn a_reading_a_second_gives_the_growth_of_each_second() {
    let mut counters = Counters::new(100.0, 1.0).unwrap();
    assert_eq!(counters.take(100.0, &values(&[("a", 7)])), None);
    let grown = counters.take(101.2, &values(&[("a", 12), ("b", 2)])).unwrap();
    let expected = counts(&[("a", 5.0), ("b", 2.0)]);
    assert_eq!(grown, Grown { start: 100.0, intervals: 1, known: Known::Counted, counts: expected });
    assert_eq!(counters.take(101.3, &values(&[("a", 13)])), None, "that is the same end of an interval");
    let grown = counters.take(101.9, &values(&[("a", 15)])).unwrap();
    assert_eq!((grown.start, grown.counts), (101.0, counts(&[("a", 3.0)])));
}

#[test]
fn what_came_while_nobody_answered_is_divided_and_said_to_be() {
    let mut counters = Counters::new(0.0, 1.0).unwrap();
    counters.take(0.0, &values(&[("a", 0)]));
    let grown = counters.take(4.0, &values(&[("a", 10)])).unwrap();
    assert_eq!(
        grown,
        Grown { start: 0.0, intervals: 4, known: Known::Divided, counts: counts(&[("a", 2.5)]) }
    );
}

#[test]
fn where_one_counter_fell_all_have_begun_anew() {
    let mut counters = Counters::new(0.0, 1.0).unwrap();
    counters.take(0.0, &values(&[("a", 100), ("b", 1)]));
    let grown = counters.take(1.0, &values(&[("a", 3), ("b", 4)])).unwrap();
    assert_eq!((grown.known, grown.counts), (Known::AtLeast, counts(&[("a", 3.0), ("b", 4.0)])));
    let grown = counters.take(2.0, &values(&[("a", 5), ("b", 4)])).unwrap();
    assert_eq!((grown.known, grown.counts), (Known::Counted, counts(&[("a", 2.0), ("b", 0.0)])));
}

#[test]
fn a_counter_that_is_missing_for_a_while_goes_on_where_it_was() {
    let mut counters = Counters::new(0.0, 1.0).unwrap();
    counters.take(0.0, &values(&[("a", 100), ("b", 1)]));
    counters.take(1.0, &values(&[("b", 2)]));
    let grown = counters.take(2.0, &values(&[("a", 101), ("b", 2)])).unwrap();
    assert_eq!(grown.counts, counts(&[("a", 1.0), ("b", 0.0)]));
}

#[test]
fn an_interval_that_is_none_is_refused() {
    for (start, interval) in [(0.0, 0.0), (0.0, -1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
        assert!(Counters::<u8>::new(start, interval).is_err(), "{start} {interval}");
    }
}

proptest! {
    #[test]
    fn without_a_restart_nothing_is_lost_or_made_up(
        steps in prop::collection::vec((0.0..3.0_f64, 0..1000_u64), 1..50),
    ) {
        let mut counters = Counters::new(0.0, 1.0).unwrap();
        counters.take(0.0, &values(&[("a", 5)]));
        let (mut time, mut value, mut told, mut end) = (0.0, 5, 0.0, 0.0);
        for (passed, grown) in steps {
            time += passed;
            value += grown;
            if let Some(grown) = counters.take(time, &values(&[("a", value)])) {
                prop_assert_eq!(grown.start, end, "intervals follow each other without a hole");
                end += grown.intervals as f64;
                told += grown.counts["a"] * grown.intervals as f64;
                prop_assert!((told - (value - 5) as f64).abs() < 1e-6);
                prop_assert!((end - time).abs() <= 0.5);
            }
        }
    }

    #[test]
    fn whatever_is_read_no_count_is_negative(
        readings in prop::collection::vec((any::<f64>(), any::<u64>(), any::<u64>()), 0..20),
    ) {
        let mut counters = Counters::new(0.0, 1.0).unwrap();
        for (time, a, b) in readings {
            let grown = counters.take(time, &values(&[("a", a), ("b", b)]));
            prop_assert!(grown.is_none_or(|grown| grown.counts.values().all(|count| *count >= 0.0)));
        }
    }
}

#[test]
fn a_recording_with_more_columns_is_read_by_those_it_must_have() {
    let mut text = Vec::new();
    let mut lines = RecordingWriter::new(&mut text, 0.5, &["rejected", "known"]).unwrap();
    for (time, arrivals) in [(10.0, 3.0), (10.5, 0.0), (11.0, 1.0)] {
        let more = ["2".to_owned(), "counted".to_owned()];
        lines.line(time, &SeriesKey::at("a", "ocr"), arrivals, &more).unwrap();
    }
    assert!(lines.line(11.5, &SeriesKey::at("a", "ocr"), 1.0, &[]).is_err());
    lines.flush().unwrap();
    drop(lines);
    let trace = read_recording("t", text.as_slice(), None).unwrap();
    assert_eq!((trace.start(), trace.interval()), (10.0, 0.5));
    assert_eq!(trace.counts(&SeriesKey::at("a", "ocr")), Some([3.0, 0.0, 1.0].as_slice()));
}
