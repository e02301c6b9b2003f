use proptest::prelude::*;

use super::*;

fn function(name: &str, offered: f64, served: f64, cpu: f64) -> MeasuredFunction {
    MeasuredFunction {
        name: name.to_owned(),
        service_count: 2,
        margin: (40.0 - offered).max(0.0),
        invoc_rate: offered,
        afet: if served > 0.0 { 0.1 } else { 0.0 },
        ram_xfunc: 0.01,
        cpu_xfunc: cpu,
        max_rate: 40.0,
        state: if offered < 40.0 { FunctionState::Underload } else { FunctionState::Overload },
        prom_invoc_rate: served,
        p50: None,
        p95: Some(0.2),
        p99: None,
    }
}

fn run(node: &str, samples: &[(f64, f64, f64)]) -> MeasuredRun {
    let instant = |(offered, served, cpu): &(f64, f64, f64)| Instant {
        ram_usage: 0.2,
        cpu_usage: 0.1 + cpu,
        power_usage: Some(20.0 + 50.0 * cpu),
        functions: vec![function("ocr", *offered, *served, *cpu)],
    };
    let input = Load {
        node: node.to_owned(),
        replicas: [("ocr".to_owned(), 2)].into(),
        workload: [("ocr".to_owned(), 50.0)].into(),
    };
    MeasuredRun { input, output: samples.iter().map(instant).collect() }
}

fn read(text: &str) -> Result<MeasuredRun, String> {
    MeasuredRun::read("7.json", text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn between_measured_rates_needs_are_straight_and_outside_those_of_the_nearest() {
    let profile =
        Profile::of(&[run("mid", &[(0.0, 0.0, 0.0), (10.0, 10.0, 0.1), (50.0, 40.0, 0.5)])]).unwrap();
    let ocr = &profile.functions["ocr"];
    let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
    assert!(near(ocr.cpu.at(5.0), 0.05) && near(ocr.cpu.at(10.0), 0.1) && near(ocr.cpu.at(99.0), 0.5));
    assert!(
        near(ocr.success.at(10.0), 1.0) && near(ocr.success.at(30.0), 0.9) && near(ocr.success.at(50.0), 0.8)
    );
    assert!(near(profile.cpu.at(0.0), 0.1) && near(profile.power.at(0.6), 45.0));
    assert_eq!(ocr.max_rate_per_replica, 20.0);
    // Idle minutes say nothing about execution times.
    assert_eq!(ocr.execution_s.points(), [(10.0, 0.1), (40.0, 0.1)]);
}

#[test]
fn processor_time_of_a_request_is_what_one_more_a_second_adds() {
    let profile =
        Profile::of(&[run("mid", &[(0.0, 0.0, 0.02), (10.0, 10.0, 0.12), (30.0, 30.0, 0.32)])]).unwrap();
    let seconds = profile.functions["ocr"].cpu_seconds(4.0).unwrap();
    assert!((seconds - 0.04).abs() < 1e-12, "{seconds}");
    let idle = Profile::of(&[run("mid", &[(0.0, 0.0, 0.02)])]).unwrap();
    assert_eq!(idle.functions["ocr"].cpu_seconds(4.0), None);
}

#[test]
fn runs_of_different_nodes_are_not_mixed() {
    let (one, other) = ("light".to_owned(), "heavy".to_owned());
    let error = Profile::of(&[run("light", &[]), run("heavy", &[])]).unwrap_err();
    assert_eq!(error, ProfileError::Nodes { one, other });
    assert_eq!(Profile::of(&[]), Err(ProfileError::Empty));
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let good = serde_json::to_string(&run("mid", &[(1.0, 1.0, 0.1)])).unwrap();
    assert!(read(&good).is_ok());
    for (from, to, says) in [
        ("\"ram_usage\":0.2", "\"ram_usage\":2", "7.json: output[0].ram_usage is 2, and must be in 0 to 1"),
        (
            "\"afet\":0.1",
            "\"afet\":-1",
            "7.json: output[0], function ocr: afet is -1, and must be finite and not negative",
        ),
        ("\"ocr_num\":2", "\"ocr_num\":-2", "ocr_num is -2, and must be a number of replicas"),
        (
            "\"ocr_num\":2",
            "\"ocr_nun\":2",
            "ocr_nun is unknown; there are node, <function>_num and <function>_wl",
        ),
        ("Underload", "Idle", "output[0].functions[0].state: unknown variant `Idle`"),
        ("\"margin\"", "\"spare\"", "unknown field `spare`"),
    ] {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        let error = read(&text).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn noise_that_makes_a_curve_fall_is_levelled() {
    let rising = Curve::through([(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (4.0, 5.0)]).rising();
    assert_eq!(rising.points(), [(1.0, 1.0), (2.0, 2.5), (3.0, 2.5), (4.0, 5.0)]);
    assert_eq!(Curve::default().at(1.0), None);
    assert_eq!(Curve::through([(1.0, 4.0), (1.0, 6.0), (f64::NAN, 1.0)]).points(), [(1.0, 5.0)]);
}

proptest! {
    #[test]
    fn a_run_is_read_back_exactly(
        samples in prop::collection::vec((0.0..100.0_f64, 0.0..100.0_f64, 0.0..0.9_f64), 0..8),
        node in "[a-z_]{1,8}",
    ) {
        let run = run(&node, &samples);
        let mut text = Vec::new();
        run.write(&mut text).unwrap();
        prop_assert_eq!(MeasuredRun::read("t", text.as_slice()).unwrap(), run);
    }

    #[test]
    fn a_curve_stays_between_its_points_and_a_rising_one_never_falls(
        points in prop::collection::vec((0.0..100.0_f64, 0.0..10.0_f64), 1..20), rates in prop::collection::vec(-10.0..120.0_f64, 2),
    ) {
        let curve = Curve::through(points);
        let rising = curve.rising();
        let values = |curve: &Curve| curve.points().iter().map(|point| point.1).collect::<Vec<_>>();
        let (low, high) = values(&curve).iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
        for rate in &rates {
            let value = curve.at(*rate).unwrap();
            prop_assert!(value >= low - 1e-9 && value <= high + 1e-9);
        }
        let (first, second) = (rates[0].min(rates[1]), rates[0].max(rates[1]));
        prop_assert!(rising.at(first).unwrap() <= rising.at(second).unwrap() + 1e-9);
        let sum = |curve: &Curve| values(curve).iter().sum::<f64>();
        prop_assert!((sum(&rising) - sum(&curve)).abs() < 1e-9);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[-0-9.\n\"\\[\\]{}:,a-z_]{0,200}") {
        let _ = MeasuredRun::read("t", bytes.as_slice());
        let _ = read(&text);
    }
}
