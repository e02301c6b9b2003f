//! Rate, concurrency and what refused callers see.

use std::time::Duration;

use reqwest::StatusCode;

use super::harness::Node;

#[tokio::test]
async fn beyond_its_rate_a_function_answers_429_and_the_connection_stays_usable() {
    let node = Node::start("", "[functions.figlet]\nrate = 0.001\n[functions.free]").await;
    let mut wire = node.connect().await;
    let call = "POST /function/figlet HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    wire.send(call).await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
    wire.body(5).await;
    for _ in 0..3 {
        wire.send(call).await;
        let head = wire.head().await;
        assert!(head.starts_with("http/1.1 429"), "{head}");
        assert!(head.contains("dfaas-node: node1"), "{head}");
        let reason = "figlet.openfaas-fn takes no more invocations at the moment\n";
        assert_eq!(wire.body(reason.len()).await, reason.as_bytes());
    }
    wire.send(call.replace("figlet", "free")).await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
    assert!(node.scrape().await.contains(r#"invocation_total{code="429",function_name="figlet"} 3"#));
}

#[tokio::test]
async fn a_refused_caller_with_a_large_body_still_reads_its_answer() {
    let node = Node::start("", "[functions.none]\nreplicas = 0").await;
    let mut wire = node.connect().await;
    let size = 1024 * 1024;
    wire.send(format!("POST /function/none HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n")).await;
    wire.send(vec![b'x'; size]).await;
    let head = wire.head().await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
}

#[tokio::test]
async fn invocations_beyond_the_concurrency_wait_for_their_turn_in_order() {
    let functions = "[functions.nap]\nkind = \"sleep\"\nms = 100\nconcurrency = 1";
    let node = Node::start("", functions).await;
    let mut wires = Vec::new();
    for _ in 0..4 {
        let mut wire = node.connect().await;
        wire.send("GET /function/nap HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
        wires.push(wire);
        // The next one comes clearly later, so that the order of arrival is known.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (sender, mut ended) = tokio::sync::mpsc::channel(4);
    let begun = std::time::Instant::now();
    for (order, mut wire) in wires.into_iter().enumerate() {
        let sender = sender.clone();
        tokio::spawn(async move {
            assert!(wire.head().await.starts_with("http/1.1 200"));
            sender.send(order).await.unwrap();
        });
    }
    for order in 0..4 {
        assert_eq!(ended.recv().await, Some(order));
    }
    assert!(begun.elapsed().as_millis() >= 300, "three of them waited for the one before");
}

#[tokio::test]
async fn a_caller_that_leaves_the_queue_gives_its_place_back() {
    let functions = "[functions.nap]\nkind = \"sleep\"\nms = 3600000\nconcurrency = 1\n[functions.free]";
    let node = Node::start("", functions).await;
    let mut first = node.connect().await;
    first.send("GET /function/nap HTTP/1.1\r\nHost: h\r\n\r\n").await;
    while !node.scrape().await.contains(r#"invocation_started{function_name="nap"} 1"#) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(first);
    while !node.scrape().await.contains(r#"invocation_total{code="499",function_name="nap"} 1"#) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(node.get("/function/free").await.status(), StatusCode::OK);
}
