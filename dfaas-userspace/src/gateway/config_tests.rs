//! Reading configuration files, good and bad.

use std::io::Write as _;

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn error(text: &str) -> String {
    let file = file(text);
    let line = GatewayConfig::from_file(file.path()).unwrap_err().to_string();
    assert!(!line.contains('\n'), "one line: {line}");
    line.strip_prefix(&file.path().display().to_string()).unwrap().to_owned()
}

#[test]
fn an_empty_file_gives_loopback_and_no_way_to_change_anything() {
    let config = GatewayConfig::from_file(file("").path()).unwrap();
    assert_eq!(config, GatewayConfig::default());
    assert!(config.listen.iter().all(|address| address.ip().is_loopback()));
    assert!(config.metrics_listen.unwrap().ip().is_loopback());
    assert_eq!(config.password, None);
    assert!(!config.name.is_empty());
}

#[test]
fn every_key_is_read() {
    let secret = file("swordfish\n");
    let text = format!(
        r#"
        name = "node1"
        listen = ["127.0.0.1:1", "[::1]:2"]
        metrics_listen = ""
        user = "root"
        password_file = "{}"
        mptcp = true
        namespace = "fn"
        [functions.figlet]
        kind = "burn"
        ms = 5
        concurrency = 2
        rate = 1.5
        labels = {{ "dfaas.maxrate" = "10" }}
        annotations = {{ a = "b" }}
        replicas = 3
        "#,
        secret.path().display()
    );
    let config = GatewayConfig::from_file(file(&text).path()).unwrap();
    assert_eq!(config.listen.len(), 2);
    assert_eq!((config.metrics_listen, config.mptcp), (None, true));
    assert_eq!(config.password, Some(Password("swordfish".into())));
    assert!(!format!("{config:?}").contains("swordfish"));
    let figlet = &config.functions["figlet"];
    assert_eq!((figlet.kind, figlet.ms, figlet.concurrency, figlet.rate), (Kind::Burn, 5, 2, 1.5));
    assert_eq!((figlet.labels["dfaas.maxrate"].as_str(), figlet.replicas), ("10", 3));

    let function = figlet.deploy(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(function.behaviour, Behaviour::new(Kind::Burn, 5).unwrap());
    assert_eq!(function.deployment.env_vars.unwrap()["DFAAS_RATE"], "1.5");
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let line = error("name = \"a\"\nlisen = []\n");
    assert!(line.starts_with(":2: lisen: unknown field `lisen`, expected"), "{line}");
    let line = error("[functions.figlet]\nkind = \"echo\"\nmax = 2\n");
    assert!(line.starts_with(":3: max: unknown field `max`"), "{line}");
    let line = error("password = \"in the clear\"\n");
    assert!(line.contains("unknown field `password`"), "{line}");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_line_and_key() {
    let line = error("\n\nlisten = [\"localhost\"]\n");
    assert!(line.starts_with(":3: listen: "), "{line}");
    let line = error("metrics_listen = \"8082\"\n");
    assert!(line.starts_with(":1: metrics_listen: `8082` is no address"), "{line}");
    let line = error("[functions.a]\nkind = \"figlet\"\n");
    assert!(line.starts_with(":2: kind: unknown variant `figlet`, expected one of"), "{line}");
    let line = error("name = \n");
    assert!(line.starts_with(":1"), "{line}");
}

#[test]
fn values_that_make_no_sense_are_refused_with_their_key() {
    for (text, start) in [
        ("name = \"\"", ": name: "),
        ("name = \"a\\nb\"", ": name: "),
        ("listen = []", ": listen: "),
        ("user = \"a:b\"", ": user: "),
        ("namespace = \"a.b\"", ": namespace: "),
        ("[functions.\"a.b\"]", ": functions.a.b: "),
        ("[functions.a]\nrate = -1.0", ": functions.a.rate: "),
        ("[functions.a]\nrate = nan", ": functions.a.rate: "),
        ("[functions.a]\nms = 5", ": functions.a.ms: "),
        ("password_file = \"/does/not/exist\"", ": password_file: /does/not/exist: "),
    ] {
        let line = error(text);
        assert!(line.starts_with(start), "{text:?} gave {line}");
    }
    let empty = file("\n");
    let line = error(&format!("password_file = \"{}\"", empty.path().display()));
    assert!(line.contains("the file is empty"), "{line}");
}

#[test]
fn a_missing_file_is_named() {
    let line = GatewayConfig::from_file(Path::new("/does/not/exist.toml")).unwrap_err().to_string();
    assert!(line.starts_with("/does/not/exist.toml: No such file"), "{line}");
}
