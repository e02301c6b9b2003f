//! The binary: exit codes and words.

use std::path::Path;
use std::process::{Command, Output};

use dfaas_userspace::agent::Lock;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Node, configuration, eventually, free_port};

const SMALLEST: &str = "[dataplane]\ninterfaces = [\"lo\"]\nlisten = [\"192.0.2.10:8080\"]\n";

fn dfaas(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dfaas"));
    command.args(arguments).env_remove("RUST_LOG").output().expect("the binary runs")
}

/// Exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = dfaas(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("not killed"), text(&output.stdout), text(&output.stderr))
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is there");
    path.display().to_string()
}

#[test]
fn a_good_configuration_is_ok() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "agent.toml", SMALLEST);
    assert_eq!(run(&["config", "check", &path]), (0, format!("{path}: ok\n"), String::new()));
}

#[test]
fn a_bad_configuration_is_exit_code_2_with_a_line_for_each_mistake() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "bad.toml", &format!("{SMALLEST}max_flows = 1\ncolour = 2\n"));
    for command in [vec!["config", "check", &path], vec!["agent", "--config", &path]] {
        let (code, out, err) = run(&command);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        let lines: Vec<&str> = err.lines().collect();
        assert_eq!(lines.len(), 2, "{err}");
        assert!(lines[0].starts_with(&format!("{path}:4: dataplane.max_flows: ")), "{err}");
        assert_eq!(lines[1], format!("{path}:5: dataplane.colour: unknown key"));
    }
}

#[test]
fn each_mistake_that_keeps_an_agent_from_starting_is_one_line_and_exit_code_2() {
    let folder = TempDir::new().unwrap();
    // Line and key, and the beginning of the reason.
    let mistakes = [
        (
            "listen = [\"gateway:8080\"]",
            "3: dataplane.listen[0]: \"gateway:8080\" is not an address with a port",
        ),
        ("data_port = 8080", "4: dataplane.data_port: 8080 is the port of dataplane.listen[0] too"),
        ("data_port = 20500", "4: dataplane.data_port: 20500 lies in dataplane.snat_ports 20000-29999"),
        (
            "[gateway]\nuser = \"admin\"\npassword_file = \"/nowhere/password\"",
            "6: gateway.password_file: cannot read /nowhere/password: No such file or directory",
        ),
        (
            "[[static_peer]]\nname = \"b\"\naddress = \"b.example\"",
            "6: static_peer[0].address: \"b.example\" is not an IP address",
        ),
        ("interfaces", "4: not TOML: "),
    ];
    for (mistake, expected) in mistakes {
        let mut text = format!("{SMALLEST}{mistake}\n");
        if mistake.starts_with("listen") {
            text = text.replace("listen = [\"192.0.2.10:8080\"]\n", "");
        }
        let path = file(&folder, "agent.toml", &text);
        let (code, out, err) = run(&["agent", "--config", &path]);
        assert_eq!((code, out.as_str(), err.lines().count()), (2, "", 1), "{mistake}: {err}");
        assert!(err.starts_with(&format!("{path}:{expected}")), "{mistake}: {err}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (code, _, err) = run(&["agent", "--config", "/nowhere/agent.toml"]);
    assert_eq!(
        (code, err.as_str()),
        (2, "/nowhere/agent.toml: cannot read: No such file or directory (os error 2)\n")
    );
}

#[test]
fn an_interface_that_is_not_there_is_a_mistake_of_the_configuration() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "agent.toml", &SMALLEST.replace("\"lo\"", "\"lo\", \"dfaas-none\""));
    let (code, _, err) = run(&["agent", "--config", &path]);
    assert_eq!(code, 2, "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(
        err.starts_with(&format!("{path}: dataplane.interfaces[1]: no interface \"dfaas-none\" here")),
        "{err}"
    );
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for wrong in [&["agent"][..], &["dance"], &["config", "check"], &["status", "--jason"], &[]] {
        assert_eq!(run(wrong).0, 2, "{wrong:?}");
    }
    let (code, _, err) = run(&["--log", "loud=very", "config", "check", "x"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("log filter \"loud=very\""), "{err}");
}

#[test]
fn without_an_agent_the_commands_say_so() {
    for command in ["status", "peers", "functions", "plan"] {
        let (code, out, err) = run(&[command, "--socket", "/nowhere/agent.sock"]);
        assert_eq!((code, out.as_str()), (1, ""));
        assert!(err.starts_with("dfaas: no agent answers at /nowhere/agent.sock: "), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn a_second_agent_and_an_unload_beside_a_running_one_are_refused() {
    let folder = TempDir::new().unwrap();
    let text = configuration(folder.path(), "http://127.0.0.1:1", "", "");
    let path = file(&folder, "agent.toml", &text);
    let (pin, socket) = (folder.path().join("pin"), folder.path().join("run/agent.sock"));
    let lock = Lock::acquire(&pin, &socket).unwrap();
    for command in [["agent", "--config", &path], ["unload", "--config", &path]] {
        let (code, _, err) = run(&command);
        assert_eq!(code, 1, "{err}");
        assert!(err.contains(&format!("another agent (process {})", std::process::id())), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    // The lock goes with its holder, and a file that stayed behind (after SIGKILL) holds nobody up.
    drop(lock);
    let name = pin.display().to_string().trim_matches('/').replace('/', "-");
    let left = Path::new("/run/dfaas").join(format!("pin-{name}.lock"));
    assert!(!left.exists());
    std::fs::write(&left, "1\n").unwrap();
    drop(Lock::acquire(&pin, &socket).unwrap());
    assert!(!left.exists());
}

#[test]
fn a_gateway_with_a_bad_file_is_exit_code_2() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "gateway.toml", "lisden = 1\n");
    let (code, _, err) = run(&["gateway", "--config", &path]);
    assert_eq!(code, 2, "{err}");
    assert!(err.starts_with(&path) && err.contains("lisden"), "{err}");
}

#[tokio::test]
async fn the_gateway_serves_until_it_is_told_to_end() {
    let folder = TempDir::new().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let text = format!(
        "name = \"n1\"\nlisten = [\"{address}\"]\nmetrics_listen = \"\"\n[functions.echo]\nkind = \"echo\"\n"
    );
    let path = file(&folder, "gateway.toml", &text);
    let mut gateway =
        Command::new(env!("CARGO_BIN_EXE_dfaas")).args(["gateway", "--config", &path]).spawn().unwrap();
    let url = format!("http://{address}/function/echo");
    let client = reqwest::Client::new();
    eventually("the function answers", async || {
        let Ok(answer) = client.post(&url).body("hello").send().await else { return false };
        answer.text().await.unwrap() == "hello"
    })
    .await;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(gateway.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let mut ended = None;
    eventually("it ends", async || {
        ended = gateway.try_wait().unwrap();
        ended.is_some()
    })
    .await;
    assert_eq!(ended.unwrap().code(), Some(0));
}

#[test]
fn unloading_what_is_not_there_is_no_failure() {
    let pin = format!("/sys/fs/bpf/dfaas-nothing-{}", std::process::id());
    let (code, out, err) = run(&["unload", "--pin", &pin]);
    assert_eq!((code, out), (0, format!("there is no data plane at {pin}\n")), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_agent_is_shown_to_people_and_to_programs() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.dataplane.fill();
    let socket = node.socket().display().to_string();
    let ask = |command: &'static str, json: bool| {
        let mut arguments = vec![command, "--socket", &socket];
        arguments.extend(json.then_some("--json"));
        let (code, out, err) = run(&arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{command}");
        out
    };
    let status = ask("status", false);
    assert!(status.contains("static, every 0.2 s") && status.contains("health        ok"), "{status}");
    assert!(status.contains("102 2xx, 4 5xx, 4 unknown; 4 sent on after a refusal"), "{status}");
    assert!(status.contains("8 kept connections to this node, 9 to peers"), "{status}");
    let peers = ask("peers", false);
    let cells: Vec<&str> = peers.lines().nth(1).unwrap().split_whitespace().collect();
    let expected = ["b", "192.0.2.2:31601", "static", "yes", "24", "-", "-", "-", "40", "6", "40", "5", "2"];
    assert_eq!(cells, expected, "{peers}");
    let functions = ask("functions", false);
    let cells: Vec<&str> = functions.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(
        cells,
        [
            ["figlet", "own", "1", "-", "-", "1000", "ms", "60", "40", "3", "7", "2"].as_slice(),
            &["102", "2xx,", "4", "5xx,", "4", "unknown", "11.0", "kB", "/", "110.0", "kB"],
        ]
        .concat(),
        "{functions}"
    );
    let plan = ask("plan", false);
    assert!(plan.starts_with("strategy static\n") && plan.contains("local 60.0%, b 40.0%"), "{plan}");
    for (command, pointer) in [
        ("status", "/health/ok"),
        ("peers", "/peers/0/name"),
        ("functions", "/functions/0"),
        ("plan", "/plans/0/shares/1"),
    ] {
        let json: Value = serde_json::from_str(&ask(command, true)).unwrap();
        assert!(json.pointer(pointer).is_some(), "{command}: {json}");
    }
}

#[test]
fn the_doctor_fails_on_what_stands_in_the_way_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let text = configuration(folder.path(), "http://127.0.0.1:1", "", "").replace("\"lo\"", "\"dfaas-none\"");
    let path = file(&folder, "agent.toml", &text);
    let (code, out, _) = run(&["doctor", "--config", &path]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("FAIL  interface dfaas-none: not there; correct dataplane.interfaces"), "{out}");
    assert!(out.contains("FAIL  gateway: "), "{out}");
    // The pin of this test lies in a temporary folder.
    assert!(out.contains("FAIL  bpffs: "), "{out}");
    let (code, out, _) = run(&["doctor", "--config", &path, "--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, json["ok"].as_bool()), (1, Some(false)));
    let kernel = json["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "kernel");
    assert!(kernel.is_some(), "{json}");
}

#[test]
fn the_doctor_takes_a_bad_configuration_as_a_finding() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "agent.toml", "");
    let (code, out, _) = run(&["doctor", "--config", &path]);
    assert_eq!(code, 1);
    assert!(out.contains("dataplane.interfaces: missing"), "{out}");
}

#[test]
fn an_identity_is_made_once_and_shown_as_often_as_asked() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lib/identity.pem").display().to_string();
    let (code, _, err) = run(&["id", "show", "--file", &path]);
    assert_eq!(code, 1);
    assert_eq!(err, format!("dfaas: {path}: no identity there; `dfaas id new` makes one\n"));
    let (code, id, _) = run(&["id", "new", "--file", &path]);
    assert_eq!(code, 0);
    assert!(id.starts_with("12D3KooW") && id.lines().count() == 1, "{id}");
    assert_eq!(run(&["id", "show", "--file", &path]), (0, id.clone(), String::new()));
    let (_, json, _) = run(&["id", "show", "--json", "--file", &path]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["peer_id"], id.trim());
    let (code, out, err) = run(&["id", "new", "--file", &path]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.starts_with(&format!("dfaas: {path}: there is an identity already")), "{err}");
    assert_eq!(run(&["id", "show", "--file", &path]).1, id);
}
