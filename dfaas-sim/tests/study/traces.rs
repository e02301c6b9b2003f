use dfaas_sim::cli::CommandError;
use dfaas_sim::{Federation, Scenario};

use super::desk::Desk;

const REPLAY: &str = r#"
duration = "30s"
[nodes]
count = 3
cores = [2, 2, 2]
[network]
everybody = true
[[functions]]
name = "short"
cpu = "10ms"
[[functions]]
name = "*"
cpu = "30ms"
[load]
trace = "users.csv"
"#;

/// Out of order, and with a line missing: 10 seconds each.
const USERS: &str = "time_s,node,function,arrivals,interval_s\n\
    10,rome,long,300,10\n0,rome,long,100,10\n0,milan,short,500,10\n10,milan,short,500,10\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.put("users.csv", USERS);
    desk.put("replay.toml", REPLAY);
    desk
}

#[test]
fn users_ask_as_a_trace_beside_the_scenario_says() {
    let desk = desk();
    let scenario = Scenario::read(&desk.path("replay.toml")).unwrap();
    let federation = Federation::new(&scenario, 1);
    let place = |name: &str| federation.functions.iter().position(|of| of.name == name).unwrap();
    let (long, short) = (place("long"), place("short"));
    let rates = |piece: usize, node: usize| {
        let rates = federation.rates.of(piece, node);
        (rates[long], rates[short])
    };
    assert_eq!(
        (0..3).map(|piece| federation.rates.begins(piece)).collect::<Vec<_>>(),
        [0, 10_000_000_000, 20_000_000_000]
    );
    // Nodes in the order of their names; a third one has no users.
    assert_eq!([rates(0, 0), rates(0, 1), rates(0, 2)], [(0.0, 50.0), (10.0, 0.0), (0.0, 0.0)]);
    assert_eq!([rates(1, 0), rates(1, 1)], [(0.0, 50.0), (30.0, 0.0)]);
    assert_eq!([rates(2, 0), rates(2, 1)], [(0.0, 0.0), (0.0, 0.0)], "the trace is over");
    assert_eq!(federation.functions[long].cpu, 30_000_000, "as the entry for all others says");
}

#[test]
fn a_trace_is_scaled_to_a_utilisation() {
    let desk = desk();
    desk.put("replay.toml", &REPLAY.replace("trace =", "utilisation = 0.5\ntrace ="));
    let scenario = Scenario::read(&desk.path("replay.toml")).unwrap();
    let federation = Federation::new(&scenario, 1);
    let work = |piece| (0..3).map(|node| 2.0 * federation.utilisation(piece, node)).sum::<f64>();
    assert!(((work(0) + work(1) + work(2)) / 3.0 - 3.0).abs() < 1e-9, "half of six processors");
    assert!((work(1) / work(0) - (0.5 + 0.9) / (0.5 + 0.3)).abs() < 1e-9, "and its form is kept");
}

#[test]
fn kept_runs_are_those_of_a_trace_too() {
    let desk = desk();
    let all = "compare @replay.toml --techniques alllocal --no-bound --out @kept";
    desk.run(all).unwrap();
    desk.run(all).unwrap();
    assert_eq!(desk.told(), ["alllocal, seed 1", "alllocal, seed 1, kept"]);
    desk.put("users.csv", &USERS.replace("300", "200"));
    desk.run(all).unwrap();
    assert_eq!(desk.told(), ["alllocal, seed 1"]);
}

#[test]
fn what_is_wrong_with_a_trace_is_said() {
    let desk = desk();
    let says = |text: &str, words: &str| {
        desk.put("replay.toml", text);
        let error = desk.run("bound @replay.toml").unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        error
    };
    let missing = says(&REPLAY.replace("users.csv", "none.csv"), "none.csv");
    assert!(matches!(missing, CommandError::Failed(_)));
    says(
        &REPLAY.replace("count = 3\ncores = [2, 2, 2]", "count = 1\ncores = [2]"),
        "users.csv has 2 nodes; nodes.count is 1",
    );
    says(&REPLAY.replace("\"*\"", "\"other\""), "users.csv calls \"long\", which is not there");
    says(
        &format!("{REPLAY}step = {{ at = \"1s\", hot = 0.5, factor = 2 }}\n"),
        "no rates, step or variability",
    );
    desk.put("users.csv", "time_s,node,function,arrivals,interval_s\n0,,long,1,10\n0,a,long,1,10\n");
    says(REPLAY, "function \"long\" is at no node; `dfaas sim trace convert --assign`");
    desk.put("users.csv", "time_s,node,function,arrivals\n0,a,long,many\n");
    says(REPLAY, "line 2, column 4: arrivals is \"many\"");
}
