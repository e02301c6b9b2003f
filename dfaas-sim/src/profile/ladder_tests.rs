use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn step(sent: u64, answered: u64) -> Step {
    Step {
        length: 2 * SECOND,
        sent,
        answered: (1..=answered).map(|at| Duration::from_millis(10 * at)).collect(),
        execution: None,
        replicas: 2,
        cpu: 0.5,
        function_cpu: 0.25,
        memory: 0.75,
        function_memory: 0.125,
    }
}

#[test]
fn what_is_sustained_is_the_last_rate_before_success_falls() {
    let ladder = Ladder { steps: vec![step(0, 0), step(20, 20), step(40, 38), step(60, 40), step(80, 80)] };
    assert_eq!(ladder.sustained(0.95), Some(20.0), "a lucky step above one that failed says nothing");
    assert_eq!(ladder.sustained(1.0), Some(10.0));
    assert_eq!(ladder.sustained(0.5), Some(40.0));
    assert_eq!(ladder.peak(), 40.0);
    assert_eq!(Ladder { steps: vec![step(0, 0), step(20, 1)] }.sustained(0.9), None);
}

#[test]
fn a_ladder_becomes_a_run_that_is_read_back_as_a_profile() {
    let executed = Step { execution: Some(SECOND / 8), ..step(100, 80) };
    let ladder = Ladder { steps: vec![step(0, 0), step(20, 20), executed] };
    let run = ladder.run("node-1", "ocr", 30.0);
    let mut text = Vec::new();
    run.write(&mut text).unwrap();
    let read = MeasuredRun::read("t", text.as_slice()).unwrap();
    assert_eq!(read, run);
    assert_eq!((read.input.replicas["ocr"], read.input.workload["ocr"]), (2, 50.0));
    let last = &read.output[2].functions[0];
    assert_eq!((last.invoc_rate, last.prom_invoc_rate, last.afet), (50.0, 40.0, 0.125));
    assert_eq!((last.margin, last.state), (0.0, FunctionState::Overload));
    assert_eq!((last.p50, last.p95, last.p99), (Some(0.4), Some(0.76), Some(0.8)));
    let profile = Profile::of(&[read]).unwrap();
    let ocr = &profile.functions["ocr"];
    assert_eq!((ocr.success.at(10.0), ocr.success.at(50.0)), (Some(1.0), Some(0.8)));
    assert_eq!((ocr.max_rate_per_replica, ocr.memory.at(10.0)), (15.0, Some(0.125)));
}

#[test]
fn a_step_without_answers_has_no_times() {
    let none = step(10, 0);
    assert_eq!((none.success(), none.quantile(0.5), none.mean()), (0.0, None, None));
    assert_eq!((step(0, 0).success(), step(10, 5).mean()), (1.0, Some(Duration::from_millis(30))));
}

#[test]
fn even_requests_are_as_many_as_the_rate_says_and_equally_far_apart() {
    let times = Arrivals::Even.times(4.0, 2 * SECOND, 7);
    assert_eq!(
        times.iter().map(Duration::as_millis).collect::<Vec<_>>(),
        [0, 250, 500, 750, 1000, 1250, 1500, 1750]
    );
    assert!(Arrivals::Even.times(0.0, SECOND, 7).is_empty());
    assert_eq!("even".parse(), Ok(Arrivals::Even));
    assert!("odd".parse::<Arrivals>().unwrap_err().contains("poisson or even"));
}

#[test]
fn independent_requests_come_at_the_rate_with_exponential_times_between_them() {
    let times = Arrivals::Poisson.times(100.0, 100 * SECOND, 7);
    let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // Of 10,000 the mean is known to 1 %, the coefficient of variation to about 2 %.
    assert!((mean - 0.01).abs() < 5e-4 && (variance.sqrt() / mean - 1.0).abs() < 0.1, "{mean} {variance}");
    assert_eq!(times, Arrivals::Poisson.times(100.0, 100 * SECOND, 7), "the seed says all");
    assert_ne!(times, Arrivals::Poisson.times(100.0, 100 * SECOND, 8));
}

proptest! {
    #[test]
    fn requests_are_due_in_order_and_within_the_time(
        even: bool, rate in -1.0..500.0_f64, millis in 0..3000_u64, seed: u64,
    ) {
        let length = Duration::from_millis(millis);
        let times = if even { Arrivals::Even } else { Arrivals::Poisson }.times(rate, length, seed);
        prop_assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert!(times.iter().all(|time| *time <= length));
    }

    #[test]
    fn a_quantile_is_an_answer_and_grows_with_the_part(
        millis in prop::collection::vec(0..10_000_u64, 1..50), low in 0.0..1.0_f64, more in 0.0..1.0_f64,
    ) {
        let answered: Vec<Duration> = millis.into_iter().map(Duration::from_millis).collect();
        let step = Step { answered: answered.clone(), ..step(100, 0) };
        let (first, second) = (step.quantile(low).unwrap(), step.quantile((low + more).min(1.0)).unwrap());
        prop_assert!(answered.contains(&first) && first <= second);
    }
}
