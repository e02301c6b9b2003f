use super::*;

#[test]
fn a_small_trace_is_measured_as_by_hand() {
    let trace =
        minutes(&[("a", "f", &[60.0, 120.0, 0.0]), ("b", "g", &[0.0, 60.0, 0.0]), ("b", "f", &[0.0; 3])]);
    let measured = TraceStatistics::of(&trace);
    assert_eq!((measured.nodes, measured.series, measured.functions.len()), (2, 3, 2));
    assert_eq!((measured.total, measured.duration_s), (240.0, 180.0));
    assert_eq!((measured.peak_rate, measured.peak_to_mean), (3.0, 2.25));
    // Totals 60, 180, 0: mean 80, variance (400 + 10000 + 6400) / 3 = 5600.
    assert!((measured.dispersion - 70.0).abs() < 1e-9);
    let names: Vec<&str> = measured.functions.iter().map(|function| function.function.as_str()).collect();
    assert_eq!((names, measured.functions[0].share), (vec!["f", "g"], 0.75));
    // Of two functions with 60 and 180 requests.
    assert!((measured.gini - 0.25).abs() < 1e-12, "{}", measured.gini);
}

#[test]
fn a_trace_without_requests_is_measured_as_nothing() {
    let measured = TraceStatistics::of(&minutes(&[("a", "f", &[0.0, 0.0])]));
    assert_eq!(
        (measured.total, measured.peak_to_mean, measured.dispersion, measured.gini),
        (0.0, 0.0, 0.0, 0.0)
    );
}

#[test]
fn a_constant_poisson_load_has_dispersion_one_and_no_memory() {
    let counts = crate::shape::counts(&crate::shape::Shape::Constant { rate: 2.0 }, 60.0, 5_000, &mut rng(6));
    let measured = TraceStatistics::of(&minutes(&[("a", "f", &counts)]));
    assert!((measured.dispersion - 1.0).abs() < 0.1, "{}", measured.dispersion);
    assert!(measured.autocorrelation.abs() < 0.07, "{}", measured.autocorrelation);
}

#[test]
fn a_synthetic_trace_is_unequal_bursty_and_as_large_as_asked() {
    let synthetic = Synthetic { intervals: 720, ..Synthetic::default() };
    let trace = synthetic.make(&mut rng(20)).unwrap();
    let measured = TraceStatistics::of(&trace);
    assert_eq!((trace.nodes().len(), trace.intervals()), (10, 720));
    assert!((measured.mean_rate - 200.0).abs() < 1.0, "{}", measured.mean_rate);
    assert!(measured.gini > 0.7, "{}", measured.gini);
    assert!(measured.dispersion > 5.0, "{}", measured.dispersion);
    assert!(measured.autocorrelation > 0.3, "{}", measured.autocorrelation);
    assert!(trace.series().flat_map(|(_, counts)| counts).all(|count| count.fract() == 0.0));
    assert_eq!(synthetic.make(&mut rng(20)).unwrap(), trace);
    assert_ne!(synthetic.make(&mut rng(21)).unwrap(), trace);
}

#[test]
fn a_synthetic_trace_with_numbers_that_mean_nothing_is_refused() {
    let broken = [
        Synthetic { burst: 0.0, ..Synthetic::default() },
        Synthetic { burst: f64::NAN, ..Synthetic::default() },
        Synthetic { sigma: -1.0, ..Synthetic::default() },
        Synthetic { daily: 1.5, ..Synthetic::default() },
        Synthetic { memory: 1.0, ..Synthetic::default() },
        Synthetic { day: 0.0, ..Synthetic::default() },
        Synthetic { rate: f64::INFINITY, ..Synthetic::default() },
        Synthetic { interval: 0.0, ..Synthetic::default() },
        Synthetic { functions: 0, ..Synthetic::default() },
        Synthetic { nodes: Vec::new(), ..Synthetic::default() },
    ];
    for synthetic in broken {
        assert!(synthetic.make(&mut rng(1)).is_err(), "{synthetic:?}");
    }
}
