//! How connections end: closed on one side, reset in the middle.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::Namespace;
use dfaas_tests::invocation::body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::site::{Plan, Site};

const LONG: usize = 5_000_000;

const REQUEST: &[u8] = b"POST /function/echo HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\n\r\nhi";

/// A gateway that finishes its answer to a caller that has nothing more to say, until its sender is dropped. The one
/// for trials closes instead, as a caller that has left and one that is silent look the same to it.
fn patient_gateway(namespace: &Namespace, address: SocketAddr) -> oneshot::Sender<()> {
    let (stop, mut stopped) = oneshot::channel();
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    let serve = move || async move {
        let listener = TcpListener::bind(address).await.unwrap();
        ready.send(()).unwrap();
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                accepted = listener.accept() => {
                    let connection = http1::Builder::new()
                        .half_close(true)
                        .serve_connection(TokioIo::new(accepted.unwrap().0), service_fn(answer));
                    tokio::spawn(connection);
                }
            }
        }
    };
    namespace.spawn_async(serve).unwrap();
    is_ready.recv().unwrap();
    stop
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() == "/system/functions" {
        let list = r#"[{"name": "echo", "replicas": 1, "availableReplicas": 1}]"#;
        return Ok(Response::new(Full::new(list.into())));
    }
    // So that the caller has closed its side for long.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(Response::new(Full::new(body(LONG))))
}

#[test]
fn a_client_that_has_closed_its_side_still_gets_a_long_answer() {
    for (plan, node) in [(Plan::alone(), 1), (Plan::all_to_a_peer(), 2)] {
        let mut site = Site::prepared(&plan);
        let mut gateways = Vec::new();
        for node in &site.nodes {
            gateways.push(patient_gateway(node.namespace(), node.address()));
        }
        site.start_agents();
        let answer = site.client(|| async {
            let mut stream = TcpStream::connect(site.nodes[0].address()).await.unwrap();
            stream.write_all(REQUEST).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            answer
        });
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "served by node {node}");
        assert!(answer.ends_with(&body(LONG)), "{} bytes by node {node}", answer.len());
        assert_eq!(site.bound_to(if node == 1 { "local" } else { "node-2" }), 1.0);
        site.wait_for_metric(1, "dfaas_inflight", &[], 0.0);
        site.wait_for_metric(node, "dfaas_inflight", &[], 0.0);
        site.wait_for_metric(1, "dfaas_flows", &[], 0.0);
        site.wait_for_metric(node, "dfaas_flows", &[], 0.0);
    }
}

#[test]
fn a_reset_by_the_client_in_the_middle_ends_the_invocation_everywhere() {
    for (plan, node) in [(Plan::alone(), 1), (Plan::all_to_a_peer(), 2)] {
        let site = Site::new(&plan);
        let backend = if node == 1 { "backend=\"local\"" } else { "backend=\"node-2\"" };
        let (held, release) = oneshot::channel::<()>();
        let address = site.nodes[0].address();
        let clients = move || async move {
            let mut streams = Vec::new();
            for n in 0..20 {
                let mut stream = TcpStream::connect(address).await.unwrap();
                // Half of them in the middle of a request, half waiting for the answer.
                let (function, length) = if n % 2 == 0 { ("echo", 1_000_000) } else { ("sleep", 100) };
                let head = format!(
                    "POST /function/{function} HTTP/1.1\r\nHost: n\r\nContent-Length: {length}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&body(length.min(50_000))).await.unwrap();
                // Closing will send RST.
                stream.set_zero_linger().unwrap();
                streams.push(stream);
            }
            release.await.unwrap();
        };
        let clients = site.lab.users(1).spawn_async(clients).unwrap();
        site.wait_for_metric(1, "dfaas_inflight", &[backend], 20.0);
        held.send(()).unwrap();
        clients.join().unwrap().unwrap();
        site.wait_for_metric(1, "dfaas_inflight", &[], 0.0);
        site.wait_for_metric(node, "dfaas_inflight", &[], 0.0);
        site.wait_for_metric(1, "dfaas_flows", &[], 0.0);
        site.wait_for_metric(node, "dfaas_flows", &[], 0.0);
        let listing = site.lab.node(node).output("ss", &["-tanH", "state", "established"], "").unwrap();
        assert!(!listing.contains("10.77.1.10"), "the reset has reached the gateway: {listing}");
    }
}
