use proptest::prelude::*;

use super::*;

#[test]
fn a_minute_can_last_ten_seconds_with_the_same_requests() {
    let trace = minutes(&[("a", "f", &[6.0, 12.0])]).shift(60.0).unwrap();
    let quick = trace.rescale_time(1.0 / 6.0).unwrap();
    assert_eq!((quick.start(), quick.interval()), (10.0, 10.0));
    assert_eq!(at(&quick, "a", "f"), [6.0, 12.0]);
    assert!(trace.rescale_time(0.0).is_err());
}

#[test]
fn rates_are_scaled_to_a_mean_a_peak_or_a_range() {
    let trace = minutes(&[("a", "f", &[60.0, 120.0]), ("b", "f", &[0.0, 60.0])]);
    let mean = trace.rescale_to_mean(4.0).unwrap();
    assert!((sum(&mean) - 480.0).abs() < 1e-9);
    let peak = trace.rescale_to_peak(30.0).unwrap();
    assert!((peak.total()[1] - 1800.0).abs() < 1e-9);
    let range = trace.rescale_to_range(1.0, 9.0, 2.0).unwrap();
    // 0 becomes 1 a second, 120 becomes 9, and the middle 1 + 8 / 4.
    assert_eq!(
        (at(&range, "a", "f"), at(&range, "b", "f")),
        ([180.0, 540.0].as_slice(), [60.0, 180.0].as_slice())
    );
    let nothing = minutes(&[("a", "f", &[0.0, 0.0])]);
    assert_eq!(nothing.rescale_to_mean(1.0), Err(TraceError::Empty("request in the trace")));
    assert_eq!(nothing.rescale_to_range(2.0, 9.0, 1.0).unwrap().total(), [120.0, 120.0]);
    assert!(trace.rescale_rate(-1.0).is_err() && trace.rescale_rate(f64::MAX).is_err());
}

#[test]
fn rotation_brings_in_at_the_beginning_what_leaves_at_the_end() {
    let trace = minutes(&[("a", "f", &[1.0, 2.0, 3.0]), ("b", "f", &[1.0, 2.0, 3.0])]);
    let later = trace.rotate(1, Some("b")).unwrap();
    assert_eq!(
        (at(&later, "a", "f"), at(&later, "b", "f")),
        ([1.0, 2.0, 3.0].as_slice(), [3.0, 1.0, 2.0].as_slice())
    );
    assert_eq!(at(&trace.rotate(-4, None).unwrap(), "a", "f"), [2.0, 3.0, 1.0]);
}

#[test]
fn staggered_nodes_do_not_peak_together() {
    let day = [0.0, 0.0, 9.0, 3.0, 0.0, 0.0];
    let trace = minutes(&[("a", "f", &day), ("b", "f", &day), ("c", "g", &day)]);
    let (staggered, offsets) = trace.stagger(10).unwrap();
    assert_eq!((offsets[0], staggered.total().into_iter().fold(0.0, f64::max)), (0, 9.0));
    assert_eq!(sum(&staggered), sum(&trace));
    assert_eq!(at(&staggered, "a", "f"), day);
    // Three peaks of two intervals fit into six without meeting.
    let mut totals = staggered.total();
    totals.sort_by(f64::total_cmp);
    assert_eq!(totals, [3.0, 3.0, 3.0, 9.0, 9.0, 9.0]);
    assert!(Trace::new(0.0, 60.0, 3).unwrap().stagger(1).is_err());
}

#[test]
fn staggering_keeps_away_from_what_is_at_no_node() {
    let mut trace = minutes(&[("a", "f", &[1.0, 1.0, 1.0, 1.0]), ("b", "f", &[9.0, 0.0, 0.0, 0.0])]);
    trace.add(SeriesKey::anywhere("g"), &[0.0, 5.0, 5.0, 5.0]).unwrap();
    let (staggered, offsets) = trace.stagger(10).unwrap();
    assert_eq!((offsets, staggered.total()), (vec![0, 0], vec![10.0, 6.0, 6.0, 6.0]));
}

#[test]
fn a_slice_keeps_the_clock_of_the_trace() {
    let trace = minutes(&[("a", "f", &[1.0, 2.0, 3.0, 4.0])]);
    let slice = trace.slice(60.0, 180.0).unwrap();
    assert_eq!((slice.start(), at(&slice, "a", "f")), (60.0, [2.0, 3.0].as_slice()));
    assert_eq!(trace.slice(-9.0, 1.0).unwrap().intervals(), 1);
    assert!(trace.slice(200.0, 240.0).is_err() && trace.slice(60.0, 60.0).is_err());
}

#[test]
fn merged_traces_lie_as_their_clocks_say_and_add_up() {
    let early = minutes(&[("a", "f", &[1.0, 2.0])]);
    let late = minutes(&[("a", "f", &[10.0, 20.0]), ("b", "g", &[5.0, 6.0])]).shift(60.0).unwrap();
    for merged in [early.merge(&late).unwrap(), late.merge(&early).unwrap()] {
        assert_eq!((merged.start(), merged.intervals()), (0.0, 3));
        assert_eq!(at(&merged, "a", "f"), [1.0, 12.0, 20.0]);
        assert_eq!(at(&merged, "b", "g"), [0.0, 5.0, 6.0]);
    }
    assert!(matches!(early.merge(&late.shift(7.0).unwrap()), Err(TraceError::Grids { .. })));
    assert!(matches!(early.merge(&early.resample(30.0).unwrap()), Err(TraceError::Grids { .. })));
    assert!(matches!(early.merge(&late.shift(6e12).unwrap()), Err(TraceError::TooLarge { .. })));
}

#[test]
fn requests_are_spread_evenly_in_shorter_intervals_and_gathered_in_longer_ones() {
    let trace = minutes(&[("a", "f", &[60.0, 0.0, 30.0])]);
    assert_eq!(at(&trace.resample(30.0).unwrap(), "a", "f"), [30.0, 30.0, 0.0, 0.0, 15.0, 15.0]);
    assert_eq!(at(&trace.resample(120.0).unwrap(), "a", "f"), [60.0, 30.0]);
    let parts = trace.resample(40.0).unwrap();
    let expected = [40.0, 20.0, 0.0, 20.0, 10.0];
    assert!(
        at(&parts, "a", "f").iter().zip(expected).all(|(count, expected)| (count - expected).abs() < 1e-9)
    );
    assert!(trace.resample(1e-9).is_err() && trace.resample(f64::NAN).is_err());
}

#[test]
fn whole_counts_have_the_same_expected_value() {
    let trace = minutes(&[("a", "f", &[0.3; 10_000])]);
    let rounded = trace.rounded(&mut rng(3)).unwrap();
    assert!(at(&rounded, "a", "f").iter().all(|count| [0.0, 1.0].contains(count)));
    assert!((sum(&rounded) - 3_000.0).abs() < 250.0, "{}", sum(&rounded));
}

#[test]
fn a_series_becomes_a_shape_on_the_clock_of_the_trace() {
    let trace = minutes(&[("a", "f", &[60.0, 120.0])]).shift(30.0).unwrap();
    let shape = trace.shape(at(&trace, "a", "f"));
    assert_eq!([29.0, 31.0, 91.0, 151.0].map(|t| shape.rate(t)), [0.0, 1.0, 2.0, 0.0]);
    assert!((shape.expected(0.0, 1000.0) - 180.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn no_request_is_lost_or_made_by_resampling(trace in traces(), factor in 0.05..20.0_f64) {
        let new = trace.resample(trace.interval() * factor).unwrap();
        prop_assert!((sum(&new) - sum(&trace)).abs() <= sum(&trace) * 1e-9);
        prop_assert!(new.duration() >= trace.duration() * (1.0 - 1e-5));
        prop_assert!(new.duration() < trace.duration() + new.interval() * (1.0 + 1e-5));
    }

    #[test]
    fn merging_in_either_order_gives_the_sum_of_both(trace in traces(), apart in -30..30_i32) {
        let other = trace.shift(f64::from(apart) * trace.interval()).unwrap();
        let (one, two) = (trace.merge(&other).unwrap(), other.merge(&trace).unwrap());
        prop_assert_eq!(one.total(), two.total());
        prop_assert!((sum(&one) - 2.0 * sum(&trace)).abs() <= sum(&trace) * 1e-9);
        prop_assert_eq!(one.intervals(), trace.intervals() + apart.unsigned_abs() as usize);
    }

    #[test]
    fn staggering_moves_requests_in_time_alone_and_more_rounds_are_never_worse(trace in traces(), rounds in 0..4_usize) {
        prop_assume!(!trace.nodes().is_empty());
        let peak = |trace: &Trace| trace.total().into_iter().fold(0.0, f64::max);
        let (some, offsets) = trace.stagger(rounds).unwrap();
        let (more, _) = trace.stagger(rounds + 1).unwrap();
        prop_assert!(peak(&more) <= peak(&some) * (1.0 + 1e-9));
        let mut back = some;
        for (node, offset) in trace.nodes().into_iter().zip(offsets) {
            back = back.rotate(-(offset as i64), Some(node)).unwrap();
        }
        prop_assert_eq!(back, trace);
    }

    #[test]
    fn rotating_forth_and_back_changes_nothing(trace in traces(), by in -100..100_i64) {
        prop_assert_eq!(trace.rotate(by, None).unwrap().rotate(-by, None).unwrap(), trace);
    }
}
