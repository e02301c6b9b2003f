//! Functions that come and go while everything runs.

use dfaas_tests::http::Answer;
use dfaas_tests::settings::{Agent, Function, Gateway, node_name};
use serde_json::{Value, json};

use crate::federation::{Federation, eventually, node_of};
use crate::observe::{self, check, health};

/// `Basic` credentials of admin:secret.
const CREDENTIALS: &str = "Basic YWRtaW46c2VjcmV0";

/// Two nodes whose gateways take changes from who knows the password.
fn guarded() -> Federation {
    let password = std::env::temp_dir().join(format!("dfaas-life-{}.password", std::process::id()));
    std::fs::write(&password, "secret\n").unwrap();
    let adapt = |_, agent: &mut Agent, gateway: &mut Gateway| {
        let file = password.display();
        gateway.overrides = format!("user = \"admin\"\npassword_file = \"{file}\"").parse().unwrap();
        agent.overrides = format!("[gateway]\nuser = \"admin\"\npassword_file = \"{file}\"").parse().unwrap();
    };
    let federation = Federation::start_with(2, &[("echo", Function::echo())], adapt);
    std::fs::remove_file(&password).unwrap();
    federation
}

/// Changes the functions of a node's gateway, as an operator of the node does.
fn change(federation: &Federation, index: usize, method: &str, credentials: &str, body: Value) -> Answer {
    federation.nodes[index - 1].change_functions(method, credentials, &body).unwrap()
}

fn deploy(federation: &Federation, index: usize, name: &str) {
    let labels = json!({ "dfaas.maxrate": "1000" });
    let body = json!({ "service": name, "image": "dfaas/echo:latest", "labels": labels });
    assert_eq!(change(federation, index, "POST", CREDENTIALS, body).status(), 202);
}

fn remove(federation: &Federation, index: usize, name: &str) {
    let body = json!({ "functionName": name });
    assert_eq!(change(federation, index, "DELETE", CREDENTIALS, body).status(), 202);
}

/// Waits until the agent of node 1 knows exactly these functions.
fn known(federation: &Federation, names: &[&str]) {
    eventually(&format!("{names:?} are known"), || {
        let functions = observe::json(&federation.nodes[0], "functions");
        let listed = functions["functions"].as_array().unwrap();
        let listed: Vec<_> = listed.iter().map(|function| function["name"].as_str().unwrap()).collect();
        (listed == names).then_some(())
    });
}

#[test]
fn functions_deployed_and_removed_are_followed_without_a_restart() {
    let federation = guarded();
    assert!(health(&federation.nodes[0]).1["ok"].as_bool().unwrap(), "the password is right");
    let stranger = change(&federation, 1, "POST", "Basic YWRtaW46Z3Vlc3M=", json!({}));
    assert_eq!(stranger.status(), 401);
    let missing = federation.invoke("later").unwrap();
    assert_eq!(
        (missing.status().as_u16(), node_of(&missing)),
        (404, node_name(1)),
        "unknown: the local gateway's"
    );

    deploy(&federation, 2, "later");
    assert_eq!(federation.invoke("later").unwrap().status(), 404, "that a peer has it does not matter");
    deploy(&federation, 1, "later");
    // Served from the first moment on, here at least.
    federation.served("later");
    known(&federation, &["echo", "later"]);
    eventually("it is shared", || (federation.served_times("later", 4).len() == 2).then_some(()));
    eventually("in its other spelling too", || {
        (federation.served_times("later.openfaas-fn", 4).len() == 2).then_some(())
    });

    // While it is known that it may be served elsewhere, it is; then it is gone.
    remove(&federation, 1, "later");
    known(&federation, &["echo"]);
    for _ in 0..6 {
        let gone = federation.invoke("later").unwrap();
        assert_eq!((gone.status().as_u16(), node_of(&gone)), (404, node_name(1)));
    }
    assert_eq!(federation.served_times("echo", 8).len(), 2, "the others are as before");
    assert!(check(&health(&federation.nodes[0]).1, "plans").0);
    let log = federation.nodes[0].agent_log();
    assert!(log.contains("function later is there") && log.contains("function later is gone"), "{log}");
    assert_eq!(log.matches("the agent runs").count(), 1, "without a restart: {log}");
}
