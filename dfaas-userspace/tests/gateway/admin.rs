//! The admin routes.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::harness::{Node, header};

const FIGLET: &str = "[functions.figlet]\nlabels = { \"dfaas.maxrate\" = \"10\" }\nreplicas = 2";

async fn json_of(node: &Node, path: &str) -> Value {
    let request = node.request(Method::GET, path).basic_auth("admin", Some("swordfish"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    assert_eq!(header(&answer, "content-type"), "application/json");
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_list_has_openfaas_fields_and_leaves_out_zeros() {
    let node = Node::start("", &format!("{FIGLET}\n[functions.none]\nreplicas = 0")).await;
    let list = json_of(&node, "/system/functions").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    let (figlet, none) = (&list[0], &list[1]);
    assert_eq!(figlet["name"], "figlet");
    assert_eq!(figlet["namespace"], "openfaas-fn");
    assert_eq!(figlet["image"], "dfaas/echo");
    assert_eq!(figlet["labels"], json!({ "dfaas.maxrate": "10" }));
    assert_eq!((&figlet["replicas"], &figlet["availableReplicas"]), (&json!(2), &json!(2)));
    assert!(figlet["createdAt"].as_str().unwrap().ends_with('Z'));
    for absent in ["invocationCount", "annotations", "service", "limits", "secrets"] {
        assert_eq!(figlet.get(absent), None, "{absent}");
    }
    for absent in ["replicas", "availableReplicas", "labels"] {
        assert_eq!(none.get(absent), None, "{absent}");
    }
    assert_eq!(json_of(&node, "/system/functions?namespace=elsewhere").await, json!([]));
    assert_eq!(&json_of(&node, "/system/function/figlet").await, figlet);
    assert_eq!(&json_of(&node, "/system/function/figlet?namespace=openfaas-fn").await, figlet);
    assert_eq!(node.get("/system/function/other").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_other_routes_answer_as_openfaas_does() {
    let node = Node::start("", "").await;
    let info = json_of(&node, "/system/info").await;
    assert_eq!(info["provider"]["provider"], "dfaas-gateway");
    assert!(info["version"]["release"].is_string() && info["arch"].is_string());
    assert_eq!(json_of(&node, "/system/namespaces").await, json!(["openfaas-fn"]));
    assert_eq!(node.get("/healthz").await.status(), StatusCode::OK);
    let root = node.get("/").await;
    assert_eq!(root.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header(&root, "location"), "/ui/");
    assert_eq!(node.get("/system/nonsense").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(node.post("/healthz", "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    for path in ["/", "/healthz", "/system/info", "/system/nonsense", "/system/functions"] {
        assert_eq!(header(&node.get(path).await, "dfaas-node"), "node1", "{path}");
    }
}

#[tokio::test]
async fn without_a_password_nothing_can_be_changed() {
    let node = Node::start("", FIGLET).await;
    for (method, path) in [
        (Method::POST, "/system/functions"),
        (Method::PUT, "/system/functions"),
        (Method::DELETE, "/system/functions"),
        (Method::POST, "/system/scale-function/figlet"),
    ] {
        let body =
            json!({ "service": "figlet", "functionName": "figlet", "image": "dfaas/burn", "replicas": 0 });
        let answer = node.request(method.clone(), path).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(header(&answer, "dfaas-node"), "node1");
    }
    assert_eq!(json_of(&node, "/system/function/figlet").await["image"], "dfaas/echo");
    assert_eq!(node.get("/function/figlet").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn with_a_password_admin_routes_need_it_and_functions_do_not() {
    let node = Node::with_password(FIGLET).await;
    for path in ["/system/functions", "/system/info", "/system/function/figlet", "/system/nonsense"] {
        for password in [None, Some("wrong"), Some("swordfish\n"), Some("")] {
            let mut request = node.request(Method::GET, path);
            if let Some(password) = password {
                request = request.basic_auth("admin", Some(password));
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {password:?}");
            assert_eq!(header(&answer, "www-authenticate"), "Basic realm=\"Restricted\"");
            assert_eq!(answer.text().await.unwrap().trim(), "invalid credentials");
        }
    }
    assert_eq!(node.get("/function/figlet").await.status(), StatusCode::OK);
    assert_eq!(node.get("/healthz").await.status(), StatusCode::OK);
    assert_eq!(json_of(&node, "/system/functions").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn functions_come_change_and_go_while_the_gateway_runs() {
    let node = Node::with_password("").await;
    let functions = "/system/functions";
    assert_eq!(node.get("/function/late").await.status(), StatusCode::NOT_FOUND);
    let mut late = json!({ "service": "late", "image": "ghcr.io/dfaas/echo:1", "labels": { "a": "b" } });
    assert_eq!(node.admin(Method::PUT, functions, &late).await.0, 404);
    assert_eq!(node.admin(Method::POST, functions, &late).await.0, 202);
    assert_eq!(node.admin(Method::POST, functions, &late).await.0, 409);
    assert_eq!(node.post("/function/late", "x").await.text().await.unwrap(), "x");

    let before = json_of(&node, "/system/function/late").await;
    late["envVars"] = json!({ "DFAAS_KIND": "whoami" });
    late["labels"] = json!({ "c": "d" });
    assert_eq!(node.admin(Method::PUT, functions, &late).await.0, 202);
    let after = json_of(&node, "/system/function/late").await;
    assert_eq!(after["labels"], json!({ "c": "d" }));
    assert_eq!((&after["createdAt"], &after["invocationCount"]), (&before["createdAt"], &json!(2.0)));
    assert!(node.get("/function/late").await.text().await.unwrap().contains("\"node\":\"node1\""));

    let elsewhere = json!({ "service": "late", "image": "dfaas/echo", "namespace": "elsewhere" });
    assert_eq!(node.admin(Method::POST, functions, &elsewhere).await.0, 202);
    assert_eq!(node.get("/function/late.elsewhere").await.status(), StatusCode::OK);
    assert_eq!(json_of(&node, "/system/namespaces").await, json!(["elsewhere", "openfaas-fn"]));

    assert_eq!(node.admin(Method::DELETE, functions, &json!({ "functionName": "late" })).await.0, 202);
    assert_eq!(node.admin(Method::DELETE, functions, &json!({ "functionName": "late" })).await.0, 404);
    assert_eq!(node.get("/function/late").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(node.get("/function/late.elsewhere").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn scaling_to_none_stops_a_function_and_scaling_up_starts_it_again() {
    let node = Node::with_password(FIGLET).await;
    let scale = |name: &'static str, replicas: u32| {
        let body = json!({ "serviceName": name, "replicas": replicas });
        let node = &node;
        async move { node.admin(Method::POST, &format!("/system/scale-function/{name}"), &body).await.0 }
    };
    assert_eq!(scale("figlet", 0).await, 202);
    assert_eq!(node.get("/function/figlet").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json_of(&node, "/system/function/figlet").await.get("replicas"), None);
    assert_eq!(scale("figlet", 4).await, 202);
    assert_eq!(node.get("/function/figlet").await.status(), StatusCode::OK);
    assert_eq!(json_of(&node, "/system/function/figlet").await["availableReplicas"], 4);
    assert_eq!(scale("other", 1).await, 404);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_with_the_reason() {
    let node = Node::with_password("").await;
    for (body, reason) in [
        (json!("text"), "JSON"),
        (json!({ "image": "dfaas/echo" }), "service"),
        (json!({ "service": "a.b", "image": "dfaas/echo" }), "service"),
        (json!({ "service": "a", "image": "ghcr.io/openfaas/figlet" }), "built-in"),
        (json!({ "service": "a", "image": "", "envVars": { "DFAAS_KIND": "x" } }), "DFAAS_KIND"),
        (json!({ "service": "a", "image": "dfaas/sleep", "envVars": { "DFAAS_MS": "soon" } }), "DFAAS_MS"),
        (json!({ "service": "a", "image": "dfaas/echo", "namespace": "a/b" }), "no name"),
    ] {
        let (status, text) = node.admin(Method::POST, "/system/functions", &body).await;
        assert_eq!(status, 400, "{body}");
        assert!(text.contains(reason), "{body}: {text}");
    }
    let huge = json!({ "service": "a", "image": "x".repeat(2 * 1024 * 1024) });
    assert_eq!(node.admin(Method::POST, "/system/functions", &huge).await.0, 413);
    assert_eq!(json_of(&node, "/system/functions").await, json!([]));
}
