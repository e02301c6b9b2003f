mod assigned;
mod changed;
mod counted;
mod measured;
mod readers;
mod round_trips;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A trace of minutes: node, function and counts of each series.
fn minutes(series: &[(&str, &str, &[f64])]) -> Trace {
    let mut trace = Trace::new(0.0, 60.0, series[0].2.len()).unwrap();
    for (node, function, counts) in series {
        trace.add(SeriesKey::at(node, function), counts).unwrap();
    }
    trace
}

fn at<'a>(trace: &'a Trace, node: &str, function: &str) -> &'a [f64] {
    trace.counts(&SeriesKey::at(node, function)).unwrap_or_default()
}

fn sum(trace: &Trace) -> f64 {
    trace.total().iter().sum()
}

/// Traces of a few series, some of them at no node, with names that need care in a table.
fn traces() -> impl Strategy<Value = Trace> {
    let count = prop_oneof![2 => Just(0.0), 3 => (0..1000_u32).prop_map(f64::from), 1 => 0.0..1e6_f64];
    let name = "[a-z\"ä][a-z, \"\n]{0,5}[a-z\"]";
    (-1e6..1e6_f64, 1e-3..1e4_f64, 1..20_usize).prop_flat_map(move |(start, interval, intervals)| {
        let key = (prop::option::of(name), name).prop_map(|(node, function)| SeriesKey { node, function });
        let counts = prop::collection::vec(count.clone(), intervals);
        prop::collection::btree_map(key, counts, 1..5)
            .prop_map(move |series| Trace::with_series(start, interval, intervals, series).unwrap())
    })
}
