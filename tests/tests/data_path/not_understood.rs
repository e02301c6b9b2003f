//! What the kernel programs do not understand is the local gateway's, and so is its answer.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::{Plan, Site, body, call, check_echo, echoes, served_by};

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

/// Writes these pieces, each in a segment of its own, and reads until the gateway closes or is silent for a second.
async fn raw(site: &Site, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(site.nodes[0].address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for (n, piece) in pieces.iter().enumerate() {
        if n > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        stream.write_all(piece).await.unwrap();
    }
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    // How it ends is part of the answer.
    let end = match tokio::time::timeout(Duration::from_secs(1), read).await {
        Ok(Ok(_)) => "closed",
        Ok(Err(_)) => "reset",
        Err(_) => "left open",
    };
    // What differs from call to call is taken out: ids, times, and how often a function has been invoked.
    let changing = ["date:", "x-call-id:", "x-start-time:", "x-duration-seconds:", "content-length:"];
    let text = String::from_utf8_lossy(&answer).into_owned();
    let text = text.split("\"invocationCount\":").enumerate();
    let text: String = text
        .map(|(n, part)| if n == 0 { part } else { part.split_once(',').map_or("", |(_, rest)| rest) })
        .collect();
    let lines = text.lines().filter(|line| {
        let line = line.to_ascii_lowercase();
        !changing.iter().any(|name| line.starts_with(name))
    });
    lines.chain([end]).collect::<Vec<_>>().join("\n")
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
            let answer = site.client(|| raw(&site, pieces));
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
fn requests_on_one_connection_stay_with_the_first_backend() {
    let site = Site::new(&Plan::all_to_a_peer());
    let health = || Request::get("/healthz").header("host", "node").body(Full::<Bytes>::default()).unwrap();
    site.client(|| async {
        let mut connection = site.connect().await;
        echoes(&mut connection, &[1_000, 0, 5], 2).await;
        assert_eq!(served_by(&connection.exchange(health()).await.unwrap()), "node-2");
        echoes(&mut connection, &[1_000], 2).await;

        let mut connection = site.connect().await;
        assert_eq!(served_by(&connection.exchange(health()).await.unwrap()), "node-1");
        let sent = body(100_000);
        check_echo(&connection.exchange(call("echo", sent.clone())).await.unwrap(), &sent, 1);
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = Site::new(&Plan::all_to_a_peer());
    let mut requests = Vec::new();
    for n in 0..40 {
        let text = format!("number {n}");
        let head =
            format!("POST /function/echo HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n", text.len());
        requests.push(format!("{head}\r\n{text}"));
    }
    let last =
        "POST /function/echo HTTP/1.1\r\nHost: node\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast";
    requests.push(last.to_owned());
    // Far more than the first window: in one write, and in two of which the first ends in the middle of a head.
    let all = requests.concat();
    for pieces in [vec![all.as_bytes()], vec![&all.as_bytes()[..210], &all.as_bytes()[210..]]] {
        let answers = site.client(|| raw(&site, &pieces));
        let bodies =
            answers.match_indices("number ").map(|(at, _)| answers[at + 7..].lines().next().unwrap());
        let numbers: Vec<_> =
            bodies.map(|text| text.trim_end_matches(|c: char| !c.is_ascii_digit())).collect();
        let numbers: Vec<String> =
            numbers.iter().map(|text| text.chars().take_while(char::is_ascii_digit).collect()).collect();
        assert_eq!(numbers, (0..40).map(|n| n.to_string()).collect::<Vec<_>>(), "{answers}");
        assert!(answers.ends_with("last\nclosed"), "{answers}");
        assert_eq!(answers.to_ascii_lowercase().matches("dfaas-node: node-2").count(), 41);
    }
}
