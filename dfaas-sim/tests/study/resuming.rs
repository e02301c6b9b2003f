use super::desk::{Desk, OVERLOAD};

const ALL: &str = "compare @s.toml --techniques alllocal,recalc --seeds 1-2 --out @kept";

#[test]
fn what_is_finished_is_not_run_again_and_says_the_same() {
    let desk = Desk::new();
    let first = desk.run(ALL).unwrap();
    let runs = [
        "alllocal, seed 1",
        "alllocal, seed 2",
        "bound, seed 1",
        "bound, seed 2",
        "recalc, seed 1",
        "recalc, seed 2",
    ];
    assert_eq!(desk.told(), runs);
    let second = desk.run(ALL).unwrap();
    assert_eq!(desk.told(), runs.map(|run| format!("{run}, kept")));
    assert_eq!(first, second);
}

#[test]
fn only_what_is_missing_is_run() {
    let desk = Desk::new();
    let first = desk.run(ALL).unwrap();
    std::fs::remove_file(desk.path("kept/recalc-2.json")).unwrap();
    desk.told();
    assert_eq!(desk.run(ALL).unwrap(), first);
    assert_eq!(
        desk.told().iter().filter(|line| !line.ends_with(", kept")).collect::<Vec<_>>(),
        ["recalc, seed 2"]
    );
    desk.run("compare @s.toml --techniques recalc,static --seeds 2-3 --out @kept").unwrap();
    let new = desk.told().into_iter().filter(|line| !line.ends_with(", kept"));
    let missing = ["alllocal, seed 3", "bound, seed 3", "recalc, seed 3", "static, seed 2", "static, seed 3"];
    assert_eq!(new.collect::<Vec<_>>(), missing);
}

#[test]
fn another_scenario_is_run_anew() {
    let desk = Desk::new();
    let first = desk.run(ALL).unwrap();
    desk.told();
    desk.put("s.toml", &OVERLOAD.replace("rate = 200", "rate = 150"));
    assert_ne!(desk.run(ALL).unwrap(), first);
    assert!(desk.told().iter().all(|line| !line.ends_with("kept")));
}

#[test]
fn a_strict_bound_is_another_one() {
    let desk = Desk::new();
    desk.run(ALL).unwrap();
    let strict = desk.run(&format!("{ALL} --strict")).unwrap();
    assert!(strict.contains("0.9167"), "{strict}");
}
