use dfaas_sim::cli::CommandError;

use super::desk::{Desk, OVERLOAD};

#[track_caller]
fn usage(desk: &Desk, line: &str, says: &str) {
    match desk.run(line) {
        Err(CommandError::Usage(text)) => assert!(text.contains(says), "{line}: {text}"),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_has_no_meaning_is_said_before_anything_runs() {
    let desk = Desk::new();
    usage(&desk, "compare @s.toml --techniques leese", "unknown technique \"leese\"; known are alllocal,");
    usage(&desk, "run @s.toml --techniques lease,lease", "\"lease\" is there twice");
    usage(&desk, "compare @s.toml --seeds 3-1", "\"3-1\" is no seed");
    usage(&desk, "compare @s.toml --seeds 1-3,2", "seed 2 is there twice");
    usage(&desk, "compare @s.toml --threads 0", "--threads");
    usage(&desk, "compare @s.toml --strict --no-bound", "cannot be used with");
    usage(&desk, "compare @s.toml --report @none/r.html", "none/r.html: its folder is not there");
    usage(&desk, "compare", "<SCENARIO>");
    assert!(desk.told().is_empty());
}

#[test]
fn a_scenario_that_cannot_be_meant_is_named_with_its_key() {
    let desk = Desk::new();
    desk.put("bad.toml", &OVERLOAD.replace("count = 3", "count = 0"));
    desk.put("worse.toml", &OVERLOAD.replace("patience", "patients"));
    for command in ["run", "compare", "bound"] {
        usage(&desk, &format!("{command} @bad.toml"), "bad.toml: nodes.count: 0 is not from 1");
        usage(&desk, &format!("{command} @worse.toml"), "patients");
        assert!(matches!(desk.run(&format!("{command} @none.toml")), Err(CommandError::Failed(_))));
    }
}

#[test]
fn files_of_others_in_the_folder_of_results_are_left_alone() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("kept")).unwrap();
    desk.put("kept/lease-1.json", "{\"mine\": 1}");
    let error = desk.run("compare @s.toml --techniques lease --out @kept").unwrap_err().to_string();
    assert!(error.contains("lease-1.json is no result of a run"), "{error}");
    assert_eq!(desk.get("kept/lease-1.json"), "{\"mine\": 1}");
}
