//! Functions that are deployed and removed under load.

use dfaas_tests::settings::node_name;
use serde_json::{Value, json};

use crate::site::{Site, failures, ok_share};

/// `Basic` credentials of admin:secret.
const CREDENTIALS: &str = "Basic YWRtaW46c2VjcmV0";

/// Seconds of two reads of the function list, and the one in which they end.
const TWO_POLLS: usize = 3;

/// Three nodes whose gateways take changes; more than enough for all.
fn guarded() -> Site {
    let password = std::env::temp_dir().join(format!("dfaas-federation-{}.password", std::process::id()));
    std::fs::write(&password, "secret\n").unwrap();
    let site = Site::start(&[10, 1000, 1000], |_, _, agent, gateway| {
        let file = password.display();
        gateway.overrides = format!("user = \"admin\"\npassword_file = \"{file}\"").parse().unwrap();
        agent.overrides = format!("[gateway]\nuser = \"admin\"\npassword_file = \"{file}\"").parse().unwrap();
    });
    std::fs::remove_file(&password).unwrap();
    site
}

fn change(site: &Site, index: u8, method: &str, body: Value) {
    let node = &site.nodes[usize::from(index) - 1];
    let answer = node.change_functions(method, CREDENTIALS, &body).unwrap();
    assert_eq!(answer.status(), 202, "{answer:?}");
}

fn remove(site: &Site, index: u8) {
    change(site, index, "DELETE", json!({ "functionName": "figlet" }));
}

fn deploy(site: &Site, index: u8, rate: u32) {
    let labels = json!({ "dfaas.maxrate": rate.to_string() });
    change(
        site,
        index,
        "POST",
        json!({ "service": "figlet", "image": "dfaas/echo:latest", "labels": labels }),
    );
}

#[test]
fn a_function_that_is_removed_from_a_peer_and_from_here_is_served_by_whoever_has_it() {
    let mut site = guarded();
    let mut running = site.load(100.0, 34);
    let mut removals = Vec::new();
    running.wait_until(6);
    removals.push(6);
    remove(&site, 2);
    running.wait_until(13);
    removals.push(13);
    remove(&site, 1);
    running.wait_until(20);
    deploy(&site, 2, 1000);
    running.wait_until(25);
    deploy(&site, 1, 10);
    let report = running.finish().unwrap();
    site.check();

    assert!(report.reasons().keys().all(|reason| reason.contains("404")), "{}", failures(&report));
    for second in report.seconds().iter().filter(|second| second.failed > 0) {
        let near = |removal: &usize| (*removal..=removal + TWO_POLLS).contains(&second.second);
        assert!(removals.iter().any(near), "{second:?} is not within two polls of {removals:?}");
    }
    let seconds = report.seconds();
    let serve = |seconds: &[dfaas_tests::load::Second], index: u8| {
        seconds.iter().any(|second| second.by_node.contains_key(&node_name(index)))
    };
    assert!(
        serve(&seconds[3..6], 2) && serve(&seconds[3..6], 3),
        "both peers at first: {:?}",
        &seconds[3..6]
    );
    assert!(!serve(&seconds[10..13], 2) && serve(&seconds[10..13], 3), "{:?}", &seconds[10..13]);
    assert!(!serve(&seconds[17..20], 1), "removed here, served by node 3 alone: {:?}", &seconds[17..20]);
    assert_eq!(ok_share(&seconds[17..20]), 1.0, "{:?}", &seconds[17..20]);
    assert!(serve(&seconds[23..25], 2), "node 2 has it again: {:?}", &seconds[23..25]);
    assert!(serve(&seconds[30..], 1), "and node 1: {:?}", &seconds[30..]);
}
