//! The gateway's functions, over a real socket, whatever the gateway does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dfaas_userspace::config;
use dfaas_userspace::discovery::{DiscoveryError, OpenFaas, Provider as _, Source};
use serde_json::json;

use crate::scripted::{Answer, Gateway};

fn provider(gateway: &Gateway, credentials: Option<(&str, &str)>) -> OpenFaas {
    let gateway = config::Gateway {
        url: format!("http://{}", gateway.address).parse().expect("an address is a URL"),
        credentials: credentials.map(|(user, password)| (user.to_owned(), config::Secret::new(password))),
        poll: Duration::from_secs(1),
        metrics: Some(format!("http://{}/healthz", gateway.address).parse().expect("an address is a URL")),
        cgroup: None,
    };
    OpenFaas::own(&gateway, None).expect("a client is made")
}

fn client(gateway: &Gateway, credentials: Option<(&str, &str)>) -> Source {
    Source::new(Arc::new(provider(gateway, credentials)), BTreeMap::new())
}

async fn names(client: &mut Source) -> Vec<String> {
    client.catalogue().await.expect("the gateway answers").functions.into_keys().collect()
}

#[tokio::test]
async fn functions_are_read_with_user_and_password() {
    let gateway = Gateway::start(&["figlet", "env"]).await;
    assert_eq!(names(&mut client(&gateway, Some(("admin", "pa55")))).await, ["env", "figlet"]);
    let heads = gateway.seen();
    // admin:pa55
    assert!(heads.iter().all(|head| head.to_lowercase().contains("authorization: basic ywrtaw46cge1nq==")));
}

#[tokio::test]
async fn each_bad_answer_is_an_error_that_names_the_address() {
    let gateway = Gateway::start(&[]).await;
    let mut client = client(&gateway, None);
    let cases = [
        (Answer::Status(401), "answered 401; check gateway.user and gateway.password_file"),
        (Answer::Status(500), "answered 500"),
        (Answer::Status(404), "answered 404; is gateway.url"),
        (Answer::Redirect, "answered 302"),
        (Answer::Garbage, "not JSON"),
        (Answer::Json(json!({"error": "x"})), "not a JSON array"),
        (Answer::Noise, "no answer"),
        (Answer::Close, "no answer"),
        (Answer::Huge, "answer longer than"),
    ];
    for (answer, expected) in cases {
        gateway.answer(answer);
        let text = client.catalogue().await.unwrap_err().to_string();
        assert!(text.contains(expected), "expected {expected:?}, answered {text:?}");
        assert!(text.contains(&format!("http://{}/system/functions", gateway.address)), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    gateway.answer(crate::scripted::functions(&["figlet"]));
    assert_eq!(names(&mut client).await, ["figlet"]);
}

#[tokio::test]
async fn each_bad_answer_about_metrics_is_an_error_and_what_is_no_metric_is_nothing() {
    let gateway = Gateway::start(&[]).await;
    let provider = provider(&gateway, None);
    let cases = [
        (Answer::Status(404), "answered 404; is gateway.metrics where the gateway tells its metrics?"),
        (Answer::Redirect, "answered 302"),
        (Answer::Noise, "no answer"),
        (Answer::Close, "no answer"),
        (Answer::Huge, "answer longer than"),
    ];
    for (answer, expected) in cases {
        gateway.health(answer);
        let text = provider.counts().unwrap().await.unwrap_err().to_string();
        assert!(text.contains(expected), "expected {expected:?}, answered {text:?}");
    }
    for nothing in [Answer::Garbage, Answer::Json(json!({ "a": 1 }))] {
        gateway.health(nothing);
        assert!(provider.counts().unwrap().await.unwrap().functions.is_empty());
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_unreachable() {
    let gateway = Gateway::start(&[]).await;
    let port = crate::harness::free_port();
    let mut gone = gateway.clone();
    gone.address = ([127, 0, 0, 1], port).into();
    let error = client(&gone, None).catalogue().await.unwrap_err();
    assert!(
        matches!(&error, DiscoveryError::Unreachable { cause, .. } if cause.contains("refused")),
        "{error}"
    );
}

#[tokio::test]
async fn functions_of_other_namespaces_are_asked_for_and_named_in_full() {
    let gateway = Gateway::start(&["figlet"]).await;
    gateway.answer_namespaces(Answer::Json(json!(["openfaas-fn", "prod"])));
    gateway.in_namespace("prod", &["figlet", "pay"]);
    let mut client = client(&gateway, None);
    assert_eq!(names(&mut client).await, ["figlet", "figlet.prod", "pay.prod"]);

    // A passing failure to list the namespaces loses none of them.
    gateway.answer_namespaces(Answer::Status(500));
    assert_eq!(names(&mut client).await, ["figlet", "figlet.prod", "pay.prod"]);
    // A gateway that has none says 404.
    gateway.answer_namespaces(Answer::Status(404));
    assert_eq!(names(&mut client).await, ["figlet"]);
}

#[tokio::test]
async fn the_gateways_own_default_namespace_gives_the_short_spelling() {
    let gateway = Gateway::start(&[]).await;
    gateway.answer_namespaces(Answer::Json(json!(["edge"])));
    gateway.answer(Answer::Json(json!([{ "name": "figlet", "namespace": "edge" }])));
    let catalogue = client(&gateway, None).catalogue().await.unwrap();
    assert_eq!(catalogue.functions["figlet"].spellings, ["figlet", "figlet.edge"]);
}
