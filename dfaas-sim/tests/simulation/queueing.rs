//! One node alone against the theory of queues.

use dfaas_sim::{Outcome, Scenario, run};

/// A node with one function of 20 ms.
fn alone(cores: u32, utilisation: f64, law: &str) -> Scenario {
    let text = format!(
        r#"
warmup = "60s"
duration = "600s"
[nodes]
count = 1
cores = [{cores}]
[[functions]]
name = "twenty"
cpu = "20ms"
deadline = "1h"
{law}
[load]
utilisation = {utilisation}
"#
    );
    Scenario::parse(&text).expect("a sound scenario")
}

/// The part of those that come who have to wait at `c` servers that are offered `a` erlangs (Erlang, 1917), by the
/// recursion of the loss formula.
fn erlang_c(c: u32, a: f64) -> f64 {
    let loss = (1..=c).fold(1.0, |loss, servers| a * loss / (f64::from(servers) + a * loss));
    let rho = a / f64::from(c);
    loss / (1.0 - rho * (1.0 - loss))
}

fn runs(scenario: &Scenario) -> Vec<Outcome> {
    (1..=8).map(|seed| run(scenario, "alllocal", seed).expect("a run")).collect()
}

/// Whether a mean of a few runs lies within four of its standard errors of what theory says: by chance once in some hundred
/// (Student's t with seven degrees of freedom), and these seeds are always the same.
fn agrees(samples: &[f64], theory: f64) -> bool {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    println!("{mean} +- {error}, theory {theory}");
    (mean - theory).abs() <= 4.0 * error
}

#[test]
fn the_mean_time_at_several_servers_is_that_of_erlang() {
    for (cores, utilisation) in [(1, 0.7), (4, 0.85)] {
        let outcomes = runs(&alone(cores, utilisation, "law = \"exponential\""));
        let means: Vec<f64> = outcomes.iter().map(|outcome| outcome.mean).collect();
        // Mean of M/M/c: service, and the wait C(c, a) * s / (c * (1 - rho)).
        let wait =
            erlang_c(cores, utilisation * f64::from(cores)) * 20.0 / (f64::from(cores) * (1.0 - utilisation));
        assert!(agrees(&means, 20.0 + wait), "{cores} servers: {means:?}");
    }
}

#[test]
fn the_mean_time_at_one_server_is_that_of_pollaczek_and_khinchine() {
    for cv in [0.0_f64, 0.7, 1.5] {
        let means: Vec<f64> =
            runs(&alone(1, 0.7, &format!("cv = {cv:?}"))).iter().map(|outcome| outcome.mean).collect();
        // Mean wait of M/G/1: rho / (1 - rho) * s * (1 + cv^2) / 2.
        let wait = 0.7 / 0.3 * 20.0 * (1.0 + cv * cv) / 2.0;
        assert!(agrees(&means, 20.0 + wait), "cv {cv}: {means:?}");
    }
}

#[test]
fn users_ask_at_the_rate_that_the_utilisation_says() {
    // 0.7 of two processors with 20 ms each: 70 a second, 42,000 in ten minutes, with a deviation of 205.
    let requests: Vec<f64> = runs(&alone(2, 0.7, "")).iter().map(|outcome| outcome.requests as f64).collect();
    assert!(agrees(&requests, 42_000.0), "{requests:?}");
}

#[test]
fn a_gateway_with_patience_answers_in_time_what_it_takes() {
    let overloaded = alone(2, 1.5, "").duration;
    let text = format!(
        r#"
duration = "{}s"
[nodes]
count = 1
cores = [2]
patience = 0.5
[[functions]]
name = "twenty"
cpu = "20ms"
[load]
utilisation = 1.5
"#,
        overloaded.as_secs()
    );
    let outcome = run(&Scenario::parse(&text).expect("sound"), "alllocal", 1).expect("a run");
    // Two thirds of what is asked for can be done.
    assert!((outcome.goodput - 2.0 / 3.0).abs() < 0.02, "{}", outcome.goodput);
    assert_eq!((outcome.ends.late, outcome.ends.lost), (0, 0), "{:?}", outcome.ends);
}
