//! Connections: keep-alive, large bodies, odd and hostile clients, the end.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rand::rngs::SmallRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::harness::{Node, header};

const ECHO: &str = "[functions.figlet]";

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SmallRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[tokio::test]
async fn a_hundred_requests_go_over_one_connection() {
    let node = Node::start("", ECHO).await;
    let mut wire = node.connect().await;
    for n in 0..100 {
        let body = format!("request {n}");
        let length = body.len();
        wire.send(format!(
            "POST /function/figlet HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        let head = wire.head().await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
        assert_eq!(wire.body(length).await, body.as_bytes());
    }
    wire.send("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(wire.head().await.contains("connection: close"));
    assert_eq!(wire.rest().await, b"OK", "the gateway closes when asked to");
}

#[tokio::test]
async fn twenty_megabytes_come_back_unchanged_with_their_length() {
    let node = Node::start("", ECHO).await;
    let body = noise(1, 20_000_000);
    let expected = hash(&body);
    let answer = node.post("/function/figlet", body).await;
    assert_eq!(header(&answer, "content-length"), "20000000");
    assert_eq!(hash(&answer.bytes().await.unwrap()), expected);
}

#[tokio::test]
async fn an_echo_begins_before_its_request_has_ended() {
    let node = Node::start("", ECHO).await;
    let mut wire = node.connect().await;
    wire.send("POST /function/figlet HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello").await;
    assert!(wire.head().await.contains("content-length: 10\r\n"));
    assert_eq!(wire.body(5).await, b"hello");
    wire.send("world").await;
    assert_eq!(wire.body(5).await, b"world");
}

#[tokio::test]
async fn a_chunked_body_comes_back_chunked() {
    let node = Node::start("", ECHO).await;
    let mut wire = node.connect().await;
    wire.send(
        "POST /function/figlet HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    )
    .await;
    assert!(wire.head().await.contains("transfer-encoding: chunked"));
    assert_eq!(wire.body(10).await, b"5\r\nhello\r\n");
    wire.send("0\r\n\r\n").await;
    assert_eq!(wire.body(5).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn head_requests_get_a_head_and_no_body() {
    let node = Node::start("", ECHO).await;
    let mut wire = node.connect().await;
    wire.send(
        "HEAD /system/info HTTP/1.1\r\nHost: h\r\n\r\nHEAD /function/figlet HTTP/1.1\r\nHost: h\r\n\r\n",
    )
    .await;
    let head = wire.head().await;
    assert!(head.starts_with("http/1.1 200") && !head.contains("content-length: 0"), "{head}");
    assert!(wire.head().await.starts_with("http/1.1 200"), "the next answer follows at once");
    assert!(node.scrape().await.contains(r#"invocation_total{code="200",function_name="figlet"} 1"#));
}

#[tokio::test]
async fn a_caller_that_expects_100_continue_gets_it_only_when_its_body_is_wanted() {
    let node = Node::start("", &format!("{ECHO}\n[functions.none]\nreplicas = 0")).await;
    let ask = |name: &str| {
        format!(
            "POST /function/{name} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
    };
    let mut wire = node.connect().await;
    wire.send(ask("figlet")).await;
    assert!(wire.head().await.starts_with("http/1.1 100"));
    wire.send("hello").await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
    assert_eq!(wire.body(5).await, b"hello");

    wire.send(ask("none")).await;
    let head = wire.head().await;
    assert!(head.starts_with("http/1.1 503") && head.contains("connection: close"), "{head}");
    wire.rest().await;
}

#[tokio::test]
async fn an_http_1_0_caller_is_answered_and_closed() {
    let node = Node::start("", ECHO).await;
    let mut wire = node.connect().await;
    wire.send("POST /function/figlet HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi").await;
    assert!(wire.head().await.starts_with("http/1.0 200"));
    assert_eq!(wire.rest().await, b"hi");
}

#[tokio::test]
async fn malformed_requests_do_not_stop_the_gateway() {
    let node = Node::start("", ECHO).await;
    let mut dice = SmallRng::seed_from_u64(7);
    for round in 0..200 {
        let mut wire = node.connect().await;
        let mut bytes = match round % 4 {
            0 => Vec::new(),
            1 => b"POST /function/figlet HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            2 => b"GET /function/".to_vec(),
            _ => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        };
        bytes.extend(noise(round, dice.random_range(1..2000)));
        // The gateway may have closed already; neither side's errors matter here.
        let _ = wire.stream.write_all(&bytes).await;
        let _ = wire.stream.shutdown().await;
        let _ = wire.stream.read_to_end(&mut Vec::new()).await;
    }
    assert_eq!(node.post("/function/figlet", "alive").await.text().await.unwrap(), "alive");
}

#[tokio::test]
async fn nonsense_is_answered_400() {
    let node = Node::start("", ECHO).await;
    let mut wire = node.connect().await;
    wire.send("\u{1}\u{2}\u{3} nonsense\r\n\r\n").await;
    assert!(wire.head().await.starts_with("http/1.1 400"));
    let mut wire = node.connect().await;
    wire.send("POST /function/figlet HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n").await;
    assert!(wire.head().await.starts_with("http/1.1 400"));
}

#[tokio::test]
async fn a_multipath_listener_takes_plain_tcp_callers() {
    let node = Node::start("mptcp = true", ECHO).await;
    assert_eq!(node.post("/function/figlet", "plain").await.text().await.unwrap(), "plain");
    // Where this kernel has MPTCP, that was a real MPTCP socket: it has the protocol number in its options.
    let config = dfaas_userspace::gateway::GatewayConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        metrics_listen: None,
        mptcp: true,
        ..Default::default()
    };
    let listeners = dfaas_userspace::gateway::Listeners::bind(&config).unwrap();
    let protocol = socket2::SockRef::from(&listeners.gateway[0]).protocol().unwrap();
    let enabled = std::fs::read_to_string("/proc/sys/net/mptcp/enabled").unwrap_or_default();
    let expected = if enabled.trim() == "1" { socket2::Protocol::MPTCP } else { socket2::Protocol::TCP };
    assert_eq!(protocol, Some(expected));
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let node = Node::start("", ECHO).await;
    let config = dfaas_userspace::gateway::GatewayConfig { listen: vec![node.address], ..Default::default() };
    let error = format!("{:#}", dfaas_userspace::gateway::Listeners::bind(&config).unwrap_err());
    assert!(error.contains(&format!("listen: {}", node.address)) && error.contains("in use"), "{error}");
}

#[tokio::test]
async fn at_the_end_running_requests_are_answered_and_idle_connections_closed() {
    let node = Node::start("", "[functions.nap]\nkind = \"sleep\"\nms = 200").await;
    let mut idle = node.connect().await;
    idle.send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").await;
    idle.head().await;
    let mut busy = node.connect().await;
    busy.send("GET /function/nap HTTP/1.1\r\nHost: h\r\n\r\n").await;
    while !node.scrape().await.contains("gateway_function_invocation_started{") {}
    let stopped = tokio::spawn(node.stop());
    let head = busy.head().await;
    assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
    assert_eq!(idle.rest().await, b"OK");
    assert_eq!(busy.rest().await, b"");
    drop((idle, busy));
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn metrics_can_be_off() {
    let config = dfaas_userspace::gateway::GatewayConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        metrics_listen: None,
        ..Default::default()
    };
    let listeners = dfaas_userspace::gateway::Listeners::bind(&config).unwrap();
    assert!(listeners.metrics.is_none());
    let node = Node::start("", ECHO).await;
    assert_eq!(node.get("/metrics").await.status(), StatusCode::NOT_FOUND, "not on the gateway's own port");
}
