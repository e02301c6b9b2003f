//! The same seed gives the same run, and all that is counted adds up.

use dfaas_sim::{Federation, Scenario, compare, run};
use proptest::prelude::*;

use crate::federations::small;

#[test]
fn a_run_replays_exactly_and_another_seed_gives_another() {
    let scenario = small("loss = 0.1");
    for technique in ["lease", "p2c", "random"] {
        let first = run(&scenario, technique, 7).expect("a run");
        assert_eq!(run(&scenario, technique, 7).expect("a run"), first, "{technique}");
        assert_ne!(run(&scenario, technique, 8).expect("a run").ends, first.ends, "{technique}");
    }
}

#[test]
fn a_comparison_on_all_processors_tells_what_single_runs_tell() {
    let scenario = small("");
    let rows = compare(&scenario, &["alllocal", "lease"], &[1, 2]).expect("runs");
    let order: Vec<(&str, u64)> = rows.iter().map(|row| (row.technique.as_str(), row.seed)).collect();
    assert_eq!(order, [("alllocal", 1), ("alllocal", 2), ("lease", 1), ("lease", 2)]);
    assert_eq!(rows[3].outcome, run(&scenario, "lease", 2).expect("a run"));
    assert_eq!((rows[0].harm, rows[1].harm), (0.0, 0.0), "nobody is harmed by what is the measure");
}

fn any_scenario() -> impl Strategy<Value = Scenario> {
    let failure = (
        0_u32..8,
        1_u32..6,
        0_usize..6,
        prop_oneof![Just("kill"), Just("join"), Just("partition"), Just("black-hole"), Just("slow")],
    );
    let failures = proptest::collection::vec(failure, 0..5);
    (2_usize..7, 0.1_f64..1.6, 0.0_f64..0.5, any::<bool>(), failures).prop_map(
        |(nodes, utilisation, loss, patience, failures)| {
            let patience = if patience { "patience = 0.8" } else { "" };
            let failures: String = failures
                .into_iter()
                .map(|(at, lasts, node, what)| {
                    let (node, until) = (node % nodes, at + lasts);
                    let factor = if what == "slow" { "factor = 3.0" } else { "" };
                    format!("[[failures]]\nat = \"{at}s\"\nuntil = \"{until}s\"\nnodes = [{node}]\nwhat = \"{what}\"\n{factor}\n")
                })
                .collect();
            let text = format!(
                r#"
duration = "8s"
{failures}
[nodes]
count = {nodes}
cores = [1, 2]
{patience}
[network]
rtt = "20ms"
loss = {loss:?}
[[functions]]
name = "short"
cpu = "10ms"
[[functions]]
name = "long"
cpu = "200ms"
max_inflight = 20
[load]
utilisation = {utilisation:?}
step = {{ at = "2s", hot = 0.3, factor = 6.0 }}
"#
            );
            Scenario::parse(&text).expect("a sound scenario")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_fails_every_request_ends_once_and_no_grant_is_beyond_the_headroom(
        scenario in any_scenario(), seed: u64, technique in prop_oneof![Just("lease"), Just("recalc"), Just("static")],
    ) {
        // The engine itself checks that nothing is forwarded twice, grants, and that all has ended.
        let outcome = run(&scenario, technique, seed);
        let outcome = outcome.map_err(|violation| TestCaseError::fail(violation.to_string()))?;
        prop_assert_eq!(outcome.ends.sum(), outcome.requests);
        let in_time: u64 = outcome.series.iter().flatten().map(|second| u64::from(second.in_time)).sum();
        prop_assert_eq!(in_time, outcome.ends.in_time);
    }

    #[test]
    fn links_are_mutual_and_users_ask_for_what_the_utilisation_says(scenario in any_scenario(), seed: u64) {
        let federation = Federation::new(&scenario, seed);
        for (node, neighbours) in federation.neighbours.iter().enumerate() {
            prop_assert!(neighbours.iter().all(|other| federation.neighbours[*other].contains(&node)));
        }
        let cores: f64 = federation.cores.iter().map(|cores| f64::from(*cores)).sum();
        for piece in 0..federation.rates.pieces() {
            let work: f64 = (0..federation.nodes())
                .map(|node| federation.utilisation(piece, node) * f64::from(federation.cores[node]))
                .sum();
            prop_assert!((work / cores - scenario.load.utilisation).abs() < 1e-9);
        }
    }
}
