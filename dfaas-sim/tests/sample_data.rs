//! The files that scenarios come with are those that their generator makes.

use std::path::Path;

use dfaas_sim::network::{RttMatrix, Unit};
use dfaas_sim::samples::samples;
use dfaas_sim::trace::{TraceStatistics, read_recording};

fn stored(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/scenarios/data").join(name);
    std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

#[test]
fn sample_files_are_what_the_generator_makes() {
    for (name, made) in samples().unwrap() {
        assert!(
            stored(name) == made,
            "{name} is not what its seed makes; after a change of generators write it again, as its README says"
        );
    }
}

#[test]
fn the_sample_trace_looks_like_what_it_stands_for() {
    let trace = read_recording("azure-like.csv", stored("azure-like.csv").as_slice(), None).unwrap();
    let measured = TraceStatistics::of(&trace);
    assert_eq!((measured.nodes, measured.functions.len(), measured.duration_s), (10, 20, 1800.0));
    assert!(measured.gini > 0.7 && measured.dispersion > 5.0, "{measured:?}");
}

#[test]
fn the_sample_matrix_is_of_a_hundred_nodes_and_at_most_17_ms() {
    let text = stored("rtt-100-ms.tsv");
    let rtt = RttMatrix::read("rtt-100-ms.tsv", text.as_slice(), Unit::Milliseconds, b'\t').unwrap();
    assert_eq!(rtt.len(), 100);
    assert_eq!(rtt.rows().flatten().copied().fold(0.0, f64::max), 0.017);
    for from in 0..100 {
        assert!(
            (0..100)
                .all(|to| rtt.get(from, to) == rtt.get(to, from) && (from == to || rtt.get(from, to) > 0.0))
        );
    }
}
