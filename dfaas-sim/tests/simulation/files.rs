//! What is said of scenario files that are wrong.

use std::path::Path;

use dfaas_sim::Scenario;

const SOUND: &str = r#"
duration = "10s"
[nodes]
count = 2
cores = [2]
[[functions]]
name = "figlet"
cpu = "30ms"
[load]
utilisation = 0.5
"#;

fn error(text: &str) -> String {
    Scenario::parse(text).expect_err("a wrong file").to_string()
}

#[test]
fn every_scenario_that_comes_with_the_project_is_understood() {
    for name in ["a", "b", "c", "d", "e", "region", "region-near", "replay"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../deploy/scenarios/{name}.toml"));
        if let Err(error) = Scenario::read(&file) {
            panic!("{}: {error}", file.display());
        }
    }
}

#[test]
fn a_key_that_does_not_exist_is_named_with_its_line_and_column() {
    let said = error(&SOUND.replace("count = 2", "count = 2\ncoers = 4"));
    assert!(said.contains("line 5, column 1") && said.contains("unknown field `coers`"), "{said}");
    let said = error(&SOUND.replace("\"30ms\"", "\"30 parsecs\""));
    assert!(said.contains("line 8, column 7"), "{said}");
}

#[test]
fn a_value_that_cannot_be_meant_is_named_by_its_key() {
    for (from, to, key) in [
        ("cores = [2]", "cores = [0]", "nodes.cores"),
        ("count = 2", "count = 0", "nodes.count"),
        ("cpu = \"30ms\"", "cpu = \"0s\"", "functions[0].cpu"),
        ("utilisation = 0.5", "utilisation = -1.0", "load.utilisation"),
        ("utilisation = 0.5", "utilisation = nan", "load.utilisation"),
        ("utilisation = 0.5", "", "load"),
        ("duration = \"10s\"", "duration = \"0s\"", "duration"),
        ("[load]", "[network]\nloss = 1.5\n[load]", "network.loss"),
        ("[load]", "[network]\nlinks = [[0, 2]]\n[load]", "network.links"),
        ("[load]", "[network]\nrtts_ms = [[0.0]]\n[load]", "network.rtts_ms"),
        ("[load]", "[[failures]]\nat = \"1s\"\nwhat = \"slow\"\nnodes = [1]\n[load]", "failures[0].factor"),
        ("[load]", "[[failures]]\nat = \"1s\"\nwhat = \"kill\"\nnodes = [7]\n[load]", "failures[0].nodes"),
    ] {
        let said = error(&SOUND.replace(from, to));
        assert!(said.starts_with(&format!("{key}: ")), "{key}: {said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = Scenario::read(Path::new("/nowhere/a.toml")).expect_err("no file").to_string();
    assert!(said.starts_with("/nowhere/a.toml: "), "{said}");
}
