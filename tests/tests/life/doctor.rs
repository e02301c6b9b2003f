//! `dfaas doctor` on whole nodes.

use std::net::TcpListener;

use dfaas_tests::settings::{DATA_PORT, Function};
use serde_json::Value;

use crate::federation::{Federation, PATIENCE};

/// Exit code, text and JSON.
fn examine(federation: &Federation) -> (i32, String, Value) {
    let node = &federation.nodes[0];
    let file = node.agent_file();
    let command = ["doctor", "--config", file.to_str().unwrap()];
    let (status, said) = node.dfaas(&command, PATIENCE).unwrap();
    let (again, text) = node.dfaas(&[&command[..], &["--json"]].concat(), PATIENCE).unwrap();
    assert_eq!(status.code(), again.code());
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(json["ok"].as_bool(), Some(status.success()), "{json}");
    (status.code().unwrap(), said, json)
}

/// The level of a check, and what was found.
fn finding<'a>(json: &'a Value, check: &str) -> (&'a str, &'a str) {
    let all = json["findings"].as_array().unwrap();
    let one =
        all.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{check}: {json}"));
    (one["level"].as_str().unwrap(), one["found"].as_str().unwrap())
}

#[test]
fn the_doctor_finds_nothing_on_a_healthy_node_and_says_what_is_wrong_on_a_broken_one() {
    let mut federation = Federation::start(1, &[("echo", Function::echo())]);
    let (code, said, json) = examine(&federation);
    assert_eq!(code, 0, "{said}");
    assert!(said.lines().all(|line| line.starts_with("ok  ")), "{said}");
    for check in
        ["kernel", "interface users0", "interface peers0", "listen 10.77.1.1:8080", "data_port 31601"]
    {
        assert_eq!(finding(&json, check).0, "ok", "{check}");
    }
    assert!(finding(&json, "gateway").1.ends_with("answers, 1 functions"), "{json}");

    federation.first().kill_gateway().unwrap();
    let listen = || TcpListener::bind(("0.0.0.0", DATA_PORT));
    let _squatter = federation.lab.node(1).run(listen).unwrap().unwrap();
    let down = || std::process::Command::new("ip").args(["link", "set", "dev", "peers0", "down"]).status();
    assert!(federation.lab.node(1).run(down).unwrap().unwrap().success());
    let file = federation.nodes[0].agent_file();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"users0\"", "\"users0\", \"eth7\"")).unwrap();

    let (code, said, json) = examine(&federation);
    assert_eq!(code, 1, "{said}");
    let expected = [
        ("gateway", "fail", "refused"),
        ("data_port 31601", "fail", "another program listens there"),
        ("interface eth7", "fail", "not there"),
        ("interface peers0", "warn", "down"),
        ("listen 10.77.1.1:8080", "warn", "nobody listens"),
        ("interface users0", "ok", "up"),
    ];
    for (check, level, found) in expected {
        let finding = finding(&json, check);
        assert!(finding.0 == level && finding.1.contains(found), "{check}: {finding:?}");
    }
    assert!(said.contains("FAIL  gateway: ") && said.contains("; start the gateway"), "{said}");
}
