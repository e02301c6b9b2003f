//! The agent's side of a gateway against a gateway that is really there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dfaas_userspace::config;
use dfaas_userspace::discovery::{OpenFaas, Provider, Source};
use reqwest::Method;
use serde_json::json;

use super::harness::Node;

const FIGLET: &str = "[functions.figlet]\nlabels = { \"dfaas.maxrate\" = \"10\" }\nreplicas = 2";

fn provider(node: &Node, password: &str) -> OpenFaas {
    let gateway = config::Gateway {
        url: format!("http://{}", node.address).parse().unwrap(),
        credentials: Some(("admin".to_owned(), config::Secret::new(password))),
        poll: Duration::from_secs(1),
        metrics: Some(format!("http://{}/metrics", node.metrics).parse().unwrap()),
        cgroup: None,
    };
    OpenFaas::own(&gateway, Some(node.address)).unwrap()
}

#[tokio::test]
async fn functions_of_the_gateway_are_listed_and_followed() {
    let node = Node::with_password(FIGLET).await;
    let mut source = Source::new(Arc::new(provider(&node, "swordfish")), BTreeMap::new());
    let catalogue = source.catalogue().await.unwrap();
    let figlet = &catalogue.functions["figlet"];
    assert_eq!((figlet.max_rate, figlet.available_replicas), (Some(10.0), 2));
    assert_eq!((figlet.name.as_str(), figlet.namespace.as_str()), ("figlet", "openfaas-fn"));

    let env = json!({ "service": "env", "image": "dfaas/echo", "labels": { "dfaas.local_only": "true" } });
    assert_eq!(node.admin(Method::POST, "/system/functions", &env).await.0, 202);
    let catalogue = source.catalogue().await.unwrap();
    assert!(catalogue.functions["env"].local_only, "{catalogue:?}");

    let wrong = provider(&node, "herring").list(None).await.unwrap_err().to_string();
    assert!(wrong.contains("answered 401; check gateway.user"), "{wrong}");
}

#[tokio::test]
async fn what_the_gateway_counts_is_read_whatever_its_callers_call_a_function() {
    let node = Node::with_password(FIGLET).await;
    let provider = provider(&node, "swordfish");
    let counted = async || {
        let counts = provider.counts().unwrap().await.unwrap();
        counts.of(&["figlet".to_owned(), "figlet.openfaas-fn".to_owned()])
    };
    let before = counted().await;
    assert_eq!((before.completed, before.replicas), (0, Some(2)));
    for path in ["/function/figlet", "/function/figlet.openfaas-fn", "/function/figlet", "/function/none"] {
        node.post(path, "hello").await.text().await.unwrap();
    }
    let mut after = counted().await;
    // An invocation is counted when its answer has ended, which the caller sees a moment earlier.
    while after.completed < 3 {
        tokio::task::yield_now().await;
        after = counted().await;
    }
    assert_eq!(after.completed, 3);
    assert!(after.busy > Duration::ZERO && after.busy < Duration::from_secs(60), "{after:?}");
}

#[tokio::test]
async fn a_gateway_that_ends_is_unwell_and_says_why() {
    let node = Node::with_password(FIGLET).await;
    let provider = provider(&node, "swordfish");
    assert_eq!(provider.health().unwrap().await, Ok(()));
    node.stop().await.unwrap();
    assert!(provider.health().unwrap().await.unwrap_err().contains("/healthz: no answer"));
    let error = provider.counts().unwrap().await.unwrap_err().to_string();
    assert!(error.contains("/metrics: no answer"), "{error}");
}
