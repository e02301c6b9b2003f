use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Any shape that means something: times of some seconds, rates of some dozens.
fn shapes() -> impl Strategy<Value = Shape> {
    let (rate, time) = (0.0..50.0_f64, 0.1..20.0_f64);
    let until = prop::option::of(time.clone());
    let leaf = prop_oneof![
        rate.clone().prop_map(|rate| Shape::Constant { rate }),
        (rate.clone(), rate.clone(), time.clone(), until).prop_map(|(before, after, at, length)| {
            Shape::Step { before, after, at, until: length.map(|length| at + length) }
        }),
        (rate.clone(), rate.clone(), time.clone(), time.clone())
            .prop_map(|(from, to, start, length)| Shape::Linear { from, to, start, end: start + length }),
        (rate.clone(), rate.clone(), time.clone(), time.clone(), time.clone()).prop_map(
            |(base, peak, start, up, down)| {
                Shape::Triangular { base, peak, start, top: start + up, end: start + up + down }
            }
        ),
        (rate.clone(), 0.0..=1.0_f64, time.clone(), -7.0..7.0_f64).prop_map(|(mean, part, period, phase)| {
            Shape::Sinusoidal { mean, amplitude: mean * part, period, phase }
        }),
        (rate.clone(), rate.clone(), time.clone(), time.clone(), 0.0..=1.0_f64).prop_map(
            |(base, height, first, every, part)| {
                Shape::Spikes { base, height, first, every, width: every * part }
            }
        ),
        (time, prop::collection::vec(rate, 0..8))
            .prop_map(|(interval, rates)| Shape::Table { interval, rates }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(|of| Shape::Sum { of }),
            (0.0..3.0_f64, boxed.clone()).prop_map(|(by, of)| Shape::Scale { by, of }),
            (-9.0..9.0_f64, boxed.clone()).prop_map(|(by, of)| Shape::Delay { by, of }),
            (0.0..20.0_f64, 0.0..20.0_f64, boxed).prop_map(|(min, more, of)| Shape::Clamp {
                min,
                max: min + more,
                of
            }),
        ]
    })
}

#[test]
fn each_kind_has_the_rates_that_its_name_promises() {
    let step = Shape::Step { before: 1.0, after: 5.0, at: 10.0, until: Some(20.0) };
    assert_eq!([9.9, 10.0, 19.9, 20.0].map(|t| step.rate(t)), [1.0, 5.0, 5.0, 1.0]);
    let triangle = Shape::Triangular { base: 2.0, peak: 10.0, start: 0.0, top: 4.0, end: 12.0 };
    assert_eq!([-1.0, 1.0, 4.0, 8.0, 13.0].map(|t| triangle.rate(t)), [2.0, 4.0, 10.0, 6.0, 2.0]);
    let spikes = Shape::Spikes { base: 1.0, height: 9.0, first: 5.0, every: 10.0, width: 2.0 };
    assert_eq!([4.9, 5.0, 7.0, 16.9].map(|t| spikes.rate(t)), [1.0, 9.0, 1.0, 9.0]);
    let wave = Shape::Sinusoidal { mean: 10.0, amplitude: 10.0, period: 4.0, phase: 0.0 };
    assert_eq!([0.0, 1.0, 3.0].map(|t| wave.rate(t).round()), [10.0, 20.0, 0.0]);
    let table = Shape::Table { interval: 2.0, rates: vec![3.0, 4.0] };
    assert_eq!([-0.1, 1.9, 2.0, 4.0].map(|t| table.rate(t)), [0.0, 3.0, 4.0, 0.0]);
}

#[test]
fn expected_requests_are_areas() {
    let triangle = Shape::Triangular { base: 2.0, peak: 10.0, start: 0.0, top: 4.0, end: 12.0 };
    assert!((triangle.expected(0.0, 12.0) - (24.0 + 48.0)).abs() < 1e-9);
    let spikes = Shape::Spikes { base: 1.0, height: 9.0, first: 5.0, every: 10.0, width: 2.0 };
    assert!((spikes.expected(0.0, 30.0) - (24.0 + 54.0)).abs() < 1e-9);
    let clamped = Shape::Clamp { min: 0.0, max: 5.0, of: Box::new(Shape::Constant { rate: 9.0 }) };
    assert!((clamped.expected(0.0, 3.0) - 15.0).abs() < 1e-9);
}

#[test]
fn numbers_without_a_meaning_are_named() {
    let says = |shape: Shape| shape.check().unwrap_err().to_string();
    let rate = f64::NAN;
    assert_eq!(says(Shape::Constant { rate }), "constant: rate is NaN, and must be finite and not negative");
    let wave = Shape::Sinusoidal { mean: 1.0, amplitude: 2.0, period: 1.0, phase: 0.0 };
    assert!(says(Shape::Sum { of: vec![wave] }).starts_with("sinusoidal: amplitude is 2"));
    let step = Shape::Step { before: 1.0, after: 1.0, at: 5.0, until: Some(5.0) };
    assert_eq!(says(step), "step: at is not before until");
}

#[test]
fn a_shape_is_written_as_a_table_with_its_kind() {
    let text =
        r#"{"kind":"clamp","min":0.0,"max":8.0,"of":{"kind":"step","before":1.0,"after":9.0,"at":10.0}}"#;
    let shape: Shape = serde_json::from_str(text).unwrap();
    assert_eq!(shape.rate(11.0), 8.0);
    assert_eq!(serde_json::to_string(&shape).unwrap(), text);
    assert!(serde_json::from_str::<Shape>(r#"{"kind":"constant","rate":1,"rat":2}"#).is_err());
}

#[test]
fn arrivals_follow_the_shape_and_not_only_its_mean() {
    let shape = Shape::Step { before: 20.0, after: 200.0, at: 100.0, until: None };
    let times: Vec<f64> = Arrivals::new(&shape, 0.0, 200.0, &mut rng(4)).collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    let before = times.iter().filter(|time| **time < 100.0).count() as f64;
    let after = times.len() as f64 - before;
    // Five standard deviations of Poisson counts with these means.
    assert!((before - 2_000.0).abs() < 5.0 * 2_000_f64.sqrt(), "{before}");
    assert!((after - 20_000.0).abs() < 5.0 * 20_000_f64.sqrt(), "{after}");
    assert_eq!(Arrivals::new(&Shape::Constant { rate: 0.0 }, 0.0, 9.0, &mut rng(4)).count(), 0);
}

#[test]
fn times_between_arrivals_of_a_constant_rate_are_exponential() {
    let times: Vec<f64> = Arrivals::new(&Shape::Constant { rate: 50.0 }, 0.0, 400.0, &mut rng(8)).collect();
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // Of an exponential distribution the deviation is the mean; 20,000 gaps tell it to a few percent.
    assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{}", variance.sqrt() / mean);
}

#[test]
fn counts_of_a_constant_rate_are_poisson() {
    let counts = counts(&Shape::Constant { rate: 3.0 }, 10.0, 4_000, &mut rng(2));
    let mean = counts.iter().sum::<f64>() / 4_000.0;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 4_000.0;
    assert!((mean - 30.0).abs() < 0.5, "{mean}");
    assert!((variance / mean - 1.0).abs() < 0.12, "{}", variance / mean);
    assert!(counts.iter().all(|count| count.fract() == 0.0));
}

#[test]
fn published_loads_stay_in_their_limits_and_keep_their_form() {
    let waves = published::sinusoidal(5, published::STEPS, &mut rng(42));
    let gaussian = published::gaussian(5, published::STEPS, &mut rng(42));
    let steady =
        [published::linear(5, published::STEPS), published::step_change(5, published::STEPS)].concat();
    for rate in waves.iter().chain(&gaussian).chain(&steady).flatten() {
        assert!((1.0..=150.0).contains(rate) && rate.fract() == 0.0, "{rate}");
    }
    // Evenly spread phases cancel each other: the nodes' sum stays near five times the mean.
    for step in 0..published::STEPS {
        let sum: f64 = waves.iter().map(|wave| wave[step]).sum();
        assert!((sum - 350.0).abs() < 75.0, "step {step}: {sum}");
    }
    let peaks = waves.iter().map(|wave| wave.iter().copied().fold(0.0, f64::max));
    assert!(peaks.clone().all(|peak| (125.0..=150.0).contains(&peak)), "{:?}", peaks.collect::<Vec<_>>());
    assert_eq!((steady[1][0], steady[1][287]), (1.0, 150.0));
    assert_eq!((steady[5][143], steady[5][144], steady[6][144]), (5.0, 70.0, 30.0));
}

#[test]
fn the_triangle_of_seven_minutes_rises_and_falls_inside_its_slices() {
    for seed in 0..200 {
        let rates = published::triangular(400.0, 7, &mut rng(seed));
        let slices = [(0, 100), (100, 200), (200, 300), (300, 400), (200, 300), (100, 200), (0, 100)];
        for (rate, (low, high)) in rates.iter().zip(slices) {
            assert!((f64::from(low)..=f64::from(high)).contains(rate), "seed {seed}: {rates:?}");
        }
    }
    assert_eq!(published::triangular(-5.0, 3, &mut rng(1)), [0.0; 3]);
}

proptest! {
    #[test]
    fn rates_are_between_nothing_and_the_ceiling(shape in shapes(), t in -40.0..80.0_f64) {
        prop_assert_eq!(shape.check(), Ok(()));
        let rate = shape.rate(t);
        prop_assert!(rate >= 0.0 && rate <= shape.ceiling() * (1.0 + 1e-12), "{} of {}", rate, shape.ceiling());
    }

    #[test]
    fn expected_requests_are_the_sum_of_small_steps(shape in shapes(), from in -30.0..30.0_f64, length in 0.0..30.0_f64) {
        const STEPS: u32 = 4_000;
        let part = length / f64::from(STEPS);
        let sum: f64 = (0..STEPS).map(|at| shape.rate(from + (f64::from(at) + 0.5) * part) * part).sum();
        // Each jump may be a step off; a clamp adds up a thousand steps.
        let error = shape.ceiling() * (length * 0.02 + 1e-9);
        prop_assert!((shape.expected(from, from + length) - sum).abs() <= error, "{} and {}", shape.expected(from, from + length), sum);
    }

    #[test]
    fn expected_requests_of_two_halves_are_those_of_the_whole(shape in shapes(), a in -30.0..30.0_f64, b in 0.0..20.0_f64, c in 0.0..20.0_f64) {
        let whole = shape.expected(a, a + b + c);
        let halves = shape.expected(a, a + b) + shape.expected(a + b, a + b + c);
        prop_assert!((whole - halves).abs() <= shape.ceiling() * (b + c) * 0.02 + 1e-9, "{} and {}", whole, halves);
    }
}
