//! Several gateways at one node: whose functions are whose, and which of them work.

use std::path::Path;

use dfaas_userspace::agent::Exit;
use dfaas_userspace::config::{self, Config, ConfigErrors};
use dfaas_userspace::dataplane;

use crate::double::Double;
use crate::harness::{Node, eventually};
use crate::scripted::{Answer, Gateway, functions};

/// A table about a gateway.
fn table(name: &str, gateway: &Gateway) -> String {
    format!("[[foreign_gateway]]\nname = \"{name}\"\nurl = \"http://{}\"\n", gateway.address)
}

/// Name of each function and of the gateway that serves it; an empty one is the own.
fn homes(node: &Node) -> Vec<(String, String)> {
    let memory = node.dataplane.memory();
    let home = |function: &dataplane::Function| {
        (function.name.clone(), function.gateway.clone().unwrap_or_default())
    };
    memory.functions.iter().map(home).collect()
}

async fn become_homes(node: &Node, wanted: &[(&str, &str)]) {
    let wanted: Vec<_> = wanted.iter().map(|(f, at)| ((*f).to_owned(), (*at).to_owned())).collect();
    eventually(&format!("{wanted:?}"), async || homes(node) == wanted).await;
}

fn healthy(node: &Node, name: &str) -> Option<bool> {
    let memory = node.dataplane.memory();
    memory.gateways.iter().find(|gateway| gateway.name == name).map(|gateway| gateway.healthy)
}

#[tokio::test]
async fn a_function_is_served_by_the_own_gateway_else_by_the_first_that_lists_it() {
    let (g, h) = (Gateway::start(&["env", "figlet"]).await, Gateway::start(&["env", "pay"]).await);
    let more = format!("{}{}", table("g", &g), table("h", &h));
    let node = Node::with(&more, &["figlet"]).await.ready().await;
    become_homes(&node, &[("env", "g"), ("figlet", ""), ("pay", "h")]).await;
    let placed: Vec<_> =
        node.dataplane.memory().gateways.iter().map(|at| (at.name.clone(), at.address)).collect();
    assert_eq!(placed, [("g".to_owned(), g.address), ("h".to_owned(), h.address)]);
    assert_eq!(node.dataplane.memory().plans.len(), 3, "each has a plan");

    g.answer(functions(&["figlet"]));
    become_homes(&node, &[("env", "h"), ("figlet", ""), ("pay", "h")]).await;
    node.gateway.answer(functions(&["env"]));
    become_homes(&node, &[("env", ""), ("figlet", "g"), ("pay", "h")]).await;
}

#[tokio::test]
async fn a_gateway_that_does_not_tell_keeps_its_functions_also_over_a_restart() {
    let g = Gateway::start(&["env"]).await;
    let node = Node::with(&table("g", &g), &["figlet"]).await.ready().await;
    become_homes(&node, &[("env", "g"), ("figlet", "")]).await;
    g.answer(Answer::Status(401));
    let reason = node.health("gateway g", false).await;
    assert!(
        reason.contains("answered 401; check foreign_gateway.user and foreign_gateway.password_file"),
        "{reason}"
    );
    become_homes(&node, &[("env", "g"), ("figlet", "")]).await;
    assert_eq!(healthy(&node, "g"), Some(true), "invocations still go there");

    let own = node.gateway.clone();
    let (_, folder) = node.end(Exit::Keep).await;
    let node = Node::within(folder, Double::default(), own, &table("g", &g)).ready().await;
    become_homes(&node, &[("env", "g"), ("figlet", "")]).await;
    g.answer(functions(&["env"]));
    node.health("gateway g", true).await;
}

#[tokio::test]
async fn a_gateway_that_never_told_anything_does_not_keep_the_others_from_being_served() {
    let g = Gateway::start(&[]).await;
    g.answer(Answer::Close);
    let node = Node::with(&table("g", &g), &["figlet"]).await.ready().await;
    become_homes(&node, &[("figlet", "")]).await;
    g.answer(functions(&["env"]));
    become_homes(&node, &[("env", "g"), ("figlet", "")]).await;
}

#[tokio::test]
async fn nothing_is_sent_to_a_gateway_that_misses_two_checks_until_it_answers_again() {
    let g = Gateway::start(&["env"]).await;
    let node = Node::with(&table("g", &g), &["figlet"]).await.ready().await;
    let metric = async |value: u8| {
        let line = format!("dfaas_gateway_healthy{{gateway=\"g\"}} {value}\n");
        eventually(&line, async || node.get("/metrics").await.is_ok_and(|(_, text)| text.contains(&line)))
            .await;
    };
    metric(1).await;
    for bad in [Answer::Status(503), Answer::Close, Answer::Redirect, Answer::Noise] {
        g.health(bad);
        eventually("g is away", async || healthy(&node, "g") == Some(false)).await;
        let reason = node.health("gateway g", false).await;
        assert!(reason.starts_with(&format!("http://{}/healthz", g.address)), "{reason}");
        metric(0).await;
        become_homes(&node, &[("env", "g"), ("figlet", "")]).await;
        g.health(Answer::Json(serde_json::json!({})));
        eventually("g is back", async || healthy(&node, "g") == Some(true)).await;
        node.health("gateway g", true).await;
    }
    metric(1).await;
}

fn check(more: &str) -> Result<Config, ConfigErrors> {
    let text = format!("[dataplane]\ninterfaces = [\"eth0\"]\nlisten = [\"192.0.2.10:8080\"]\n{more}");
    let none = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    config::parse(&text, Path::new("agent.toml"), "a", &none)
}

/// A gateway's table, at an address.
fn at(name: &str, address: &str) -> String {
    format!("[[foreign_gateway]]\nname = \"{name}\"\nurl = \"http://{address}\"\n")
}

#[test]
fn a_gateway_takes_invocations_where_its_functions_are_listed_unless_it_says_otherwise() {
    let more = format!(
        "[gateway]\naddress = \"10.62.0.5:8080\"\npoll = \"2s\"\n{}{}address = \"10.0.0.1:31112\"\n{}",
        at("b", "192.0.2.11:8081"),
        at("c", "gateway.example:8080/openfaas"),
        at("d", "[2001:db8::5]:8080"),
    );
    let config = check(&more).unwrap();
    assert_eq!(config.dataplane.gateway, Some("10.62.0.5:8080".parse().unwrap()));
    let found: Vec<_> =
        config.foreign_gateways.iter().map(|g| (g.name.as_str(), g.address.to_string())).collect();
    let expected = [("b", "192.0.2.11:8081"), ("c", "10.0.0.1:31112"), ("d", "[2001:db8::5]:8080")];
    assert_eq!(found, expected.map(|(name, address)| (name, address.to_owned())));
    assert!(config.foreign_gateways.iter().all(|gateway| gateway.api.poll.as_secs() == 2));
    assert!(check("").unwrap().dataplane.gateway.is_none());
}

#[test]
fn each_mistake_about_gateways_is_one_line_with_its_key() {
    let cases = [
        (
            "[gateway]\naddress = \"gateway:8080\"\n".to_owned(),
            "5: gateway.address: \"gateway:8080\" is not an address",
        ),
        (
            "[gateway]\naddress = \"0.0.0.0:8080\"\n".to_owned(),
            "5: gateway.address: 0.0.0.0 is not the address of one",
        ),
        ("[gateway]\naddress = \"[fe80::1]:80\"\n".to_owned(), "5: gateway.address: fe80::1 is link-local"),
        (
            "[gateway]\naddress = \"192.0.2.10:8080\"\n".to_owned(),
            "5: gateway.address: 192.0.2.10:8080 is dataplane.listen[0]",
        ),
        (
            "[[foreign_gateway]]\nurl = \"http://192.0.2.11\"\n".to_owned(),
            "4: foreign_gateway[0].name: missing",
        ),
        ("[[foreign_gateway]]\nname = \"b\"\n".to_owned(), "4: foreign_gateway[0].url: missing"),
        (at("a b", "192.0.2.11"), "5: foreign_gateway[0].name: \"a b\" is not a name"),
        (at("gateway", "192.0.2.11"), "5: foreign_gateway[0].name: \"gateway\" is the node's own gateway"),
        (at("b", "gateway.example"), "4: foreign_gateway[0].address: missing: the host of url is a name"),
        (at("b", "192.0.2.10:8080"), "4: foreign_gateway[0].address: 192.0.2.10:8080 is dataplane.listen[0]"),
        (at("b", "192.0.2.11/?a=b"), "6: foreign_gateway[0].url: "),
        (
            at("b", "192.0.2.11") + "address = \"nowhere\"\n",
            "7: foreign_gateway[0].address: \"nowhere\" is not",
        ),
        (at("b", "192.0.2.11") + "user = \"u\"\n", "4: foreign_gateway[0].password_file: missing"),
        (
            at("b", "192.0.2.11") + "user = \"u\"\npassword_file = \"/p\"\n",
            "8: foreign_gateway[0].password_file: cannot read /p",
        ),
        (at("b", "192.0.2.11") + "weight = 1\n", "7: foreign_gateway[0].weight: unknown key"),
        (at("b", "192.0.2.11") + &at("b", "192.0.2.12"), "8: foreign_gateway[1].name: \"b\" is listed twice"),
        (
            at("b", "192.0.2.11") + &at("c", "192.0.2.11"),
            "7: foreign_gateway[1].address: 192.0.2.11:80 is another gateway's too",
        ),
        (
            at("b", "192.0.2.11") + "[[static_peer]]\nname = \"b\"\naddress = \"192.0.2.12\"\n",
            "5: foreign_gateway[0].name: \"b\" is a peer",
        ),
    ];
    for (mistake, expected) in cases {
        let Err(errors) = check(&mistake) else { panic!("accepted: {mistake}") };
        let text = errors.to_string();
        assert!(text.starts_with(&format!("agent.toml:{expected}")), "{mistake}\n  answered: {text}");
        assert_eq!(text.lines().count(), 1, "{mistake}\n  answered: {text}");
    }
}

#[test]
fn more_gateways_than_the_data_plane_holds_are_refused() {
    let many =
        |count: u8| (1..=count).map(|n| at(&format!("g{n}"), &format!("192.0.3.{n}"))).collect::<String>();
    assert!(check(&many(16)).is_ok());
    let text = check(&many(17)).unwrap_err().to_string();
    assert_eq!(text, "agent.toml:4: foreign_gateway: 17 gateways; at most 16 fit");
    let own = "[gateway]\naddress = \"10.0.0.1:8080\"\n";
    assert!(check(&format!("{own}{}", many(15))).is_ok());
    let text = check(&format!("{own}{}", many(16))).unwrap_err().to_string();
    assert_eq!(text, "agent.toml:6: foreign_gateway: 16 gateways; at most 15 fit beside gateway.address");
}
