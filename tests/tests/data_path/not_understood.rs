//! What the kernel programs do not understand is the local gateway's, and so is its answer.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use crate::raw::raw;
use dfaas_tests::invocation::{body, call, served_by};

use crate::site::{Plan, Site, check_echo, echoes};

/// Long enough for the first segment to be bound and answered before the next comes.
const PAUSE: Duration = Duration::from_millis(200);

/// The beginning of a TLS 1.3 handshake as browsers send it, for the host `node`.
fn tls_hello() -> Vec<u8> {
    let mut extensions = vec![0, 0, 0, 9, 0, 7, 0, 0, 4];
    extensions.extend(b"node");
    extensions.extend([0, 43, 0, 3, 2, 3, 4]); // TLS 1.3
    extensions.extend([0, 10, 0, 4, 0, 2, 0, 29]); // X25519
    extensions.extend([0, 13, 0, 4, 0, 2, 4, 3]); // ECDSA with P-256
    extensions.extend([0, 51, 0, 38, 0, 36, 0, 29, 0, 32]);
    extensions.extend(body(32));
    let mut hello = vec![3, 3];
    hello.extend(body(32));
    hello.extend([0, 0, 2, 0x13, 1, 1, 0, 0, extensions.len() as u8]);
    hello.extend(extensions);
    let mut record = vec![22, 3, 1, 0, hello.len() as u8 + 4, 1, 0, 0, hello.len() as u8];
    record.extend(hello);
    record
}

#[test]
fn what_is_not_an_invocation_is_answered_as_if_there_were_no_program() {
    let tls = tls_hello();
    let with_version =
        |rest: &str| format!("{rest} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").into_bytes();
    let (health, list) = (with_version("GET /healthz"), with_version("GET /system/functions"));
    let (unknown, other) = (with_version("GET /function/nobody"), with_version("GET /function/"));
    let split = with_version("POST /function/echo");
    let stories: Vec<(&str, Vec<&[u8]>)> = vec![
        ("a TLS hello", vec![&tls]),
        ("a TLS hello in two segments", vec![&tls[..5], &tls[5..]]),
        ("an HTTP/2 preface", vec![b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"]),
        ("GET /healthz", vec![&health]),
        ("GET /system/functions", vec![&list]),
        ("an unknown function", vec![&unknown]),
        ("no function", vec![&other]),
        ("a request line split in the function's name", vec![&split[..17], &split[17..]]),
        ("a request line split in the method", vec![&split[..2], &split[2..]]),
        ("one byte", vec![b"P"]),
        ("an empty line first", vec![b"\r\n", &split]),
        ("binary zeros", vec![&[0; 100]]),
    ];
    let mut site = Site::gateways_only(&Plan::all_to_a_peer());
    let mut answers = Vec::new();
    for with_program in [false, true] {
        if with_program {
            site.start_agents();
        }
        for (n, (what, pieces)) in stories.iter().enumerate() {
            let answer = site.client(|| raw(&site, PAUSE, pieces));
            if with_program {
                assert_eq!(answer, answers[n], "{what}");
                println!("{what}: {:?}", answer.lines().next());
                assert!(!answer.to_ascii_lowercase().contains("dfaas-node: node-2"), "{what}: {answer}");
            } else {
                answers.push(answer);
            }
        }
    }
    let by_local = answers.iter().filter(|answer| answer.to_ascii_lowercase().contains("dfaas-node: node-1"));
    assert!(by_local.count() >= 6, "{answers:#?}");
    assert_eq!(site.bound_to("local"), stories.len() as f64);
    assert_eq!(site.bound_to("node-2"), 0.0);

    // The plan is in force all the while.
    site.client(|| async { echoes(&mut site.connect().await, &[1_000], 2).await });
    assert_eq!(site.bound_to("node-2"), 1.0);
}

#[test]
fn each_request_on_one_connection_goes_where_it_belongs() {
    let site = Site::new(&Plan::all_to_a_peer());
    let health = || Request::get("/healthz").header("host", "node").body(Full::<Bytes>::default()).unwrap();
    site.client(|| async {
        let mut connection = site.connect().await;
        echoes(&mut connection, &[1_000, 0, 5], 2).await;
        assert_eq!(served_by(&connection.exchange(health()).await.unwrap()), "node-1");
        echoes(&mut connection, &[1_000], 2).await;

        let mut connection = site.connect().await;
        assert_eq!(served_by(&connection.exchange(health()).await.unwrap()), "node-1");
        let sent = body(100_000);
        check_echo(&connection.exchange(call("echo", sent.clone())).await.unwrap(), &sent, 2);
    });
}
