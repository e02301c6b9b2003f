//! What callers of functions get.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::harness::{Node, header};

const FUNCTIONS: &str = r#"
[functions.figlet]
[functions.nap]
kind = "sleep"
ms = 20
[functions.sum]
kind = "burn"
ms = 20
[functions.who]
kind = "whoami"
[functions.none]
replicas = 0
"#;

#[tokio::test]
async fn a_function_echoes_the_body_with_its_type_for_every_method_and_path() {
    let node = Node::start("", FUNCTIONS).await;
    for path in
        ["/function/figlet", "/function/figlet/", "/function/figlet/a/b?c=d", "/function/figlet.openfaas-fn"]
    {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = node.request(method.clone(), path).header("content-type", "text/x-banner");
            let answer = request.body("hello").send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{method} {path}");
            assert_eq!(header(&answer, "content-type"), "text/x-banner");
            assert_eq!(header(&answer, "content-length"), "5");
            assert_eq!(answer.text().await.unwrap(), "hello");
        }
    }
}

#[tokio::test]
async fn every_invocation_names_the_node_the_call_and_its_time() {
    let node = Node::start("", FUNCTIONS).await;
    for path in ["/function/figlet", "/function/unknown", "/function/none", "/function/who"] {
        let answer = node.get(path).await;
        assert_eq!(header(&answer, "dfaas-node"), "node1");
        assert_eq!(header(&answer, "x-call-id").len(), 36);
        assert!(header(&answer, "x-start-time").parse::<u128>().unwrap() > 1_700_000_000_000_000_000);
        assert!(header(&answer, "x-served-by").starts_with("dfaas-gateway/"));
    }
    let first = node.get("/function/figlet").await;
    let second = node.get("/function/figlet").await;
    assert_ne!(header(&first, "x-call-id"), header(&second, "x-call-id"));
}

#[tokio::test]
async fn functions_that_are_not_there_are_404_and_those_without_replicas_503() {
    let node = Node::start("", FUNCTIONS).await;
    for (path, status, text) in [
        ("/function/unknown", 404, "error finding function unknown.openfaas-fn"),
        ("/function/figlet.elsewhere/x", 404, "error finding function figlet.elsewhere"),
        ("/function/none", 503, "No endpoints available for: none.openfaas-fn"),
        ("/function/", 404, "404 page not found"),
        ("/function", 404, "404 page not found"),
        ("/function/a%20b", 404, "404 page not found"),
        ("/async-function/figlet", 404, "404 page not found"),
        ("/nonsense", 404, "404 page not found"),
    ] {
        let answer = node.post(path, "body").await;
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(header(&answer, "dfaas-node"), "node1", "{path}");
        let body = answer.text().await.unwrap();
        assert!(body.starts_with(text), "{path}: {body}");
    }
}

#[tokio::test]
async fn sleeping_and_burning_functions_take_their_time_and_then_echo() {
    let node = Node::start("", FUNCTIONS).await;
    for path in ["/function/nap", "/function/sum"] {
        let begun = std::time::Instant::now();
        assert_eq!(node.post(path, "zzz").await.text().await.unwrap(), "zzz");
        assert!(begun.elapsed().as_millis() >= 20, "{path}");
    }
}

#[tokio::test]
async fn whoami_tells_what_the_gateway_saw() {
    let node = Node::start("", FUNCTIONS).await;
    let mut wire = node.connect().await;
    let own = wire.stream.local_addr().unwrap().to_string();
    wire.send(
        "PUT /function/who/x?y=z HTTP/1.1\r\nHost: h:1\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(wire.head().await.starts_with("http/1.1 200 ok"));
    let seen: Value = serde_json::from_slice(&wire.rest().await).unwrap();
    assert_eq!((&seen["node"], &seen["peer"]), (&"node1".into(), &own.as_str().into()));
    assert_eq!((&seen["method"], &seen["path"]), (&"PUT".into(), &"/function/who/x?y=z".into()));
    assert_eq!(seen["headers"]["x-a"], "1, 2");
    assert_eq!(seen["headers"]["x-forwarded-for"], own);
    assert_eq!(seen["headers"]["x-forwarded-host"], "h:1");
    assert_eq!(seen["headers"]["x-call-id"].as_str().unwrap().len(), 36);

    let named = node.request(Method::GET, "/function/who").header("x-forwarded-for", "198.51.100.7");
    let seen: Value = serde_json::from_str(&named.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(seen["headers"]["x-forwarded-for"], "198.51.100.7");
}

#[tokio::test]
async fn metrics_count_invocations_under_openfaas_names() {
    let node = Node::start("", FUNCTIONS).await;
    for path in ["/function/figlet", "/function/figlet/x", "/function/figlet.openfaas-fn", "/function/none"] {
        node.post(path, "body").await.bytes().await.unwrap();
    }
    node.get("/function/unknown").await.bytes().await.unwrap();
    let text = node.scrape().await;
    for line in [
        r#"gateway_function_invocation_started{function_name="figlet"} 2"#,
        r#"gateway_function_invocation_total{code="200",function_name="figlet"} 2"#,
        r#"gateway_function_invocation_total{code="200",function_name="figlet.openfaas-fn"} 1"#,
        r#"gateway_function_invocation_total{code="503",function_name="none"} 1"#,
        r#"gateway_function_invocation_total{code="404",function_name="unknown"} 1"#,
        r#"gateway_functions_seconds_bucket{le="+Inf",code="200",function_name="figlet"} 2"#,
        r#"gateway_functions_seconds_count{code="200",function_name="figlet"} 2"#,
        r#"gateway_service_count{function_name="figlet.openfaas-fn"} 1"#,
        r#"gateway_service_count{function_name="none.openfaas-fn"} 0"#,
        "# TYPE gateway_functions_seconds histogram",
    ] {
        assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
    }
    let list: Value =
        serde_json::from_str(&node.get("/system/functions").await.text().await.unwrap()).unwrap();
    let figlet = list.as_array().unwrap().iter().find(|function| function["name"] == "figlet").unwrap();
    assert_eq!(figlet["invocationCount"], 3.0);
}
