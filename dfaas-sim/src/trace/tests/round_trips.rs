use proptest::prelude::*;

use super::*;

#[test]
fn a_recording_leaves_out_what_did_not_happen_between_its_ends() {
    let mut text = Vec::new();
    write_recording(&minutes(&[("a", "f", &[0.0, 0.0, 2.0, 0.0])]), &mut text).unwrap();
    let expected = "time_s,node,function,arrivals,interval_s\n0,a,f,0,60\n120,a,f,2,60\n180,a,f,0,60\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn a_k6_trace_cannot_hold_other_intervals_or_functions_without_a_node() {
    let trace = minutes(&[("a", "f", &[60.0, 120.0])]);
    let mut text = Vec::new();
    write_k6(&trace, &mut text).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), r#"{"f":{"a":[1.0,2.0]}}"#);
    let says = |trace: &Trace| write_k6(trace, Vec::new()).unwrap_err().to_string();
    assert!(says(&trace.resample(30.0).unwrap()).contains("resample it first"));
    let mut nowhere = Trace::new(0.0, 60.0, 1).unwrap();
    nowhere.add(SeriesKey::anywhere("f"), &[1.0]).unwrap();
    assert!(says(&nowhere).contains("needs a node for function f"));
}

proptest! {
    #[test]
    fn a_recording_is_read_back_exactly(trace in traces()) {
        let mut text = Vec::new();
        write_recording(&trace, &mut text).unwrap();
        prop_assert_eq!(read_recording("t", text.as_slice(), None).unwrap(), trace);
    }

    #[test]
    fn a_k6_trace_is_read_back_but_for_rounding(
        series in prop::collection::btree_map(("[a-c]", "[d-f]"), prop::collection::vec(0.0..1e5_f64, 6), 1..6),
    ) {
        let series = series.into_iter().map(|((node, function), counts)| (SeriesKey::at(&node, &function), counts));
        let trace = Trace::with_series(0.0, 60.0, 6, series).unwrap();
        let mut text = Vec::new();
        write_k6(&trace, &mut text).unwrap();
        let back = read_k6("t", text.as_slice()).unwrap();
        prop_assert_eq!(back.series().len(), trace.series().len());
        for ((key, counts), (other, read)) in trace.series().zip(back.series()) {
            prop_assert_eq!(key, other);
            for (count, read) in counts.iter().zip(read) {
                prop_assert!((count - read).abs() <= count * 1e-15, "{} and {}", count, read);
            }
        }
    }
}
