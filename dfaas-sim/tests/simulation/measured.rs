//! Nodes that repeat measured runs.

use std::path::Path;

use dfaas_sim::{Federation, Scenario, run};

/// Users at a small node ask for three times its limit in the second minute; large nodes have enough, or not the function.
const RUNS: &str = r#"
warmup = "10s"
duration = "25s"
[nodes]
count = 12
[network]
rtt = "2ms"
probability = 0.3
[[functions]]
name = "funca"
cpu = "1ms"
[[functions]]
name = "ocr"
cpu = "100ms"
[load.runs]
kinds = [{ name = "small", share = 0.5, cores = 1 }, { name = "large", share = 0.5, cores = 4 }]
minutes = [0, 1]
minute = "10s"
measured = [
  { kind = 0, functions = [{ name = "funca", max_rate = 20.0, rates = [10.0, 60.0] }] },
  { kind = 1, functions = [{ name = "funca", max_rate = 100.0, rates = [0.0, 10.0] }] },
  { kind = 1, functions = [{ name = "ocr", max_rate = 5.0, rates = [1.0, 1.0] }] },
]
"#;

fn runs() -> Scenario {
    Scenario::parse(RUNS).expect("a sound scenario")
}

#[test]
fn each_node_takes_cores_rates_and_limits_of_the_run_that_it_is_drawn() {
    let federation = Federation::new(&runs(), 1);
    let place = |name: &str| federation.functions.iter().position(|of| of.name == name).unwrap();
    let (funca, ocr) = (place("funca"), place("ocr"));
    let rate = |piece: usize, node: usize, function: usize| federation.rates.of(piece, node)[function];
    let limit =
        |node: usize, function: usize| federation.offer(node, function).map(|of| of.max_rate.unwrap());
    let mut kinds = [0; 3];
    for node in 0..federation.nodes() {
        let seen = (federation.cores[node], limit(node, funca), limit(node, ocr), rate(1, node, funca));
        let kind = [(1, Some(20.0), None, 60.0), (4, Some(100.0), None, 10.0), (4, None, Some(5.0), 0.0)];
        kinds[kind.iter().position(|kind| *kind == seen).unwrap_or_else(|| panic!("{seen:?}"))] += 1;
        assert_eq!(federation.rates.of(2, node), [0.0, 0.0], "the run is over");
    }
    assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
    assert!((0..federation.nodes()).all(|node| !federation.neighbours[node].is_empty()));
    assert_ne!(Federation::new(&runs(), 2).cores, federation.cores);
}

#[test]
fn limits_hold_for_users_and_peers_together_and_nobody_asks_a_node_for_what_it_does_not_have() {
    let scenario = runs();
    let federation = Federation::new(&scenario, 1);
    let [base, random, recalc] =
        ["dfaas-base", "dfaas-random", "recalc"].map(|name| run(&scenario, name, 1).expect("a run"));
    assert!(base.goodput + 0.05 < random.goodput && random.goodput < recalc.goodput + 0.02);
    for outcome in [random, recalc] {
        for served in outcome.served.iter().filter(|served| served.from != served.by) {
            // Only funca is asked for beyond a limit.
            let here = federation.functions.iter().position(|of| of.name == "funca").unwrap();
            assert!(federation.offer(served.by as usize, here).is_some(), "{served:?}");
        }
        // The second minute: a small node serves its own 20 a second and not more.
        for node in (0..federation.nodes()).filter(|node| federation.cores[*node] == 1) {
            let at = outcome.served.iter().filter(|served| served.by as usize == node);
            let requests: u64 = at.map(|served| served.requests).sum();
            assert!(requests < 20 * 20 + 40, "node {node} has served {requests} in 20 s");
        }
    }
}

#[test]
fn a_scenario_that_was_read_writes_its_runs_with_it() {
    let scenario = runs();
    assert_eq!(Scenario::parse(&scenario.to_toml()).expect("the same"), scenario);
}

#[test]
fn runs_that_cannot_be_meant_are_named() {
    for (from, to, said) in [
        ("max_rate = 5.0", "max_rate = -5.0", "load.runs.measured[2], ocr: "),
        ("{ kind = 0,", "{ kind = 1,", "load.runs.measured: there is no run of kind \"small\""),
        ("share = 0.5, cores = 1", "share = -0.5, cores = 1", "load.runs.kinds: "),
        ("cores = 4", "cores = 0", "load.runs.kinds: "),
        ("count = 12", "count = 12\ncores = [2]", "nodes.cores: "),
        ("[load.runs]", "[load]\nutilisation = 0.5\n[load.runs]", "load.runs: "),
        ("probability = 0.3", "probability = 1.3", "network.probability: "),
        ("minute = \"10s\"", "minute = \"10s\"\nstress = 0.0", "load.runs.stress: "),
        ("minute = \"10s\"", "folder = \"nowhere\"", "load.runs: here/nowhere/small: "),
    ] {
        let error = Scenario::parse_in(&RUNS.replace(from, to), Path::new("here")).expect_err(to);
        assert!(error.to_string().starts_with(said), "{to}: {error}");
    }
}
