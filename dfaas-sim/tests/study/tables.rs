use dfaas_sim::Scenario;

use super::desk::{Desk, OVERLOAD};

/// Cells of the line that begins with this word.
fn line<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.into_iter().find(|cells| cells.first() == Some(&first)).unwrap_or_default()
}

#[test]
fn a_comparison_prints_each_technique_and_the_bound_below() {
    let desk = Desk::new();
    let text = desk.run("compare @s.toml --techniques alllocal,lease --seeds 1-2").unwrap();
    let (alone, lease, bound) = (line(&text, "alllocal"), line(&text, "lease"), line(&text, "bound"));
    assert_eq!(bound, ["bound", "0.8333", "0.8333", "0.3889"], "{text}");
    let goodput = |cells: &[&str]| cells[1].parse::<f64>().unwrap();
    assert!(goodput(&alone) < 0.5 && goodput(&lease) > 0.75, "{text}");
    assert_eq!(alone[12..14], ["0.0000", "0.0000"], "nothing is forwarded and nobody harmed: {text}");
    assert!(text.contains("the bound were 0.8333 of the requests"), "{text}");
}

#[test]
fn json_holds_the_figures_of_the_runs_themselves() {
    let desk = Desk::new();
    desk.run("compare @s.toml --techniques recalc,p2c --seeds 3,5 --json @r.json").unwrap();
    let json = desk.json("r.json");
    let scenario = Scenario::parse(OVERLOAD).unwrap();
    let runs = [3, 5].map(|seed| dfaas_sim::run(&scenario, "p2c", seed).unwrap());
    let technique = &json["techniques"]["p2c"];
    let same = |key: &str, of: fn(&dfaas_sim::Outcome) -> f64| {
        let expected = (of(&runs[0]) + of(&runs[1])) / 2.0;
        let found = technique[key].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-12, "{key}: {found} is not {expected}");
    };
    same("goodput", |of| of.goodput);
    same("work", |of| of.work);
    same("p50_ms", |of| of.p50);
    same("p95_ms", |of| of.p95);
    same("p99_ms", |of| of.p99);
    same("forwarded", |of| of.forwarded);
    same("control_bytes_per_node_s", |of| of.control_bytes_per_node_s);
    assert!(technique["harm"].is_number() && technique["settle_s"].is_null(), "{technique}");
    assert_eq!(json["seeds"], serde_json::json!([3, 5]));
    assert_eq!(json["scenario"], desk.path("s.toml").display().to_string());
    for key in ["goodput", "work", "forwarded"] {
        assert!(json["bound"][key].is_number(), "{json}");
    }
    let price = technique["price_of_decentralisation"].as_f64().unwrap();
    let bound = json["bound"]["goodput"].as_f64().unwrap();
    assert!((price - (1.0 - technique["goodput"].as_f64().unwrap() / bound)).abs() < 1e-12);
}

#[test]
fn harm_is_what_users_of_calm_nodes_lose() {
    let desk = Desk::new();
    desk.run("compare @s.toml --techniques static --seeds 1 --no-bound --json @r.json").unwrap();
    let scenario = Scenario::parse(OVERLOAD).unwrap();
    let of_calm =
        |technique: &str| dfaas_sim::run(&scenario, technique, 1).unwrap().goodput_of(|node| node > 0);
    let json = desk.json("r.json");
    let found = json["techniques"]["static"]["harm"].as_f64().unwrap();
    assert!((found - (of_calm("alllocal") - of_calm("static"))).abs() < 1e-12, "{found}");
    assert!(found > 0.01, "a hot node that sends 40 % away fills the others: {found}");
    assert!(json["bound"].is_null());
}

#[test]
fn indexes_tell_stress_apart() {
    let desk = Desk::new();
    let late = OVERLOAD.replace(
        "rate = 200 }",
        "rate = 20 }, { node = 0, from = \"10s\", function = \"thirty\", rate = 200 }",
    );
    desk.put("late.toml", &late);
    desk.run("compare @late.toml --techniques alllocal --seeds 1 --no-bound --json @r.json").unwrap();
    let indexes = &desk.json("r.json")["techniques"]["alllocal"]["indexes"];
    let of = |which: &str, what: &str| indexes[which][what].as_f64().unwrap();
    // Half of the time nothing is lost; then node 0 serves 67 of 200 and the others all.
    assert_eq!((of("success", "median"), of("success", "p90")), (1.0, 1.0));
    assert!((of("success_in_stress", "mean") - (0.33 + 2.0) / 3.0).abs() < 0.03, "{indexes}");
    assert!((of("success", "mean") - (5.0 + 0.33) / 6.0).abs() < 0.02, "{indexes}");
    assert!(indexes["rejects_total"].as_f64().unwrap() > 1000.0, "{indexes}");
}

#[test]
fn a_run_prints_a_line_for_each_technique_and_seed() {
    let desk = Desk::new();
    let text = desk.run("run @s.toml --techniques alllocal,static --seeds 4-5 --json @runs.json").unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    let json = desk.json("runs.json");
    let scenario = Scenario::parse(OVERLOAD).unwrap();
    let outcome = dfaas_sim::run(&scenario, "static", 5).unwrap();
    assert_eq!(json[3]["technique"], "static");
    assert_eq!(json[3]["goodput"], outcome.goodput);
    assert_eq!(json[3]["ends"]["in_time"], outcome.ends.in_time);
    let last: Vec<&str> = text.lines().last().unwrap_or_default().split_whitespace().collect();
    assert_eq!(last[..3], ["static", "5", &outcome.requests.to_string()]);
}

#[test]
fn a_bound_prints_parts_of_what_is_asked_for_and_its_windows() {
    let desk = Desk::new();
    let text = desk.run("bound @s.toml --windows --json @b.json").unwrap();
    assert_eq!(line(&text, "1")[..4], ["1", "4800", "0.8333", "0.8333"], "{text}");
    let windows: Vec<&str> = text.lines().skip(4).collect();
    assert_eq!(
        windows[1..],
        ["1          0   2400    0.8333  0.8333", "1         10   2400    0.8333  0.8333"]
    );
    assert_eq!(desk.json("b.json")[0]["windows"].as_array().map(Vec::len), Some(2));
}

#[test]
fn results_do_not_depend_on_the_number_of_processors() {
    let desk = Desk::new();
    let with = |threads: &str| {
        let text =
            desk.run(&format!("compare @s.toml --techniques lease,p2c --seeds 1-3 --threads {threads}"));
        text.unwrap()
    };
    assert_eq!(with("1"), with("4"));
}
