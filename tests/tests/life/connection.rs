//! Invocations that take their time: half a request now, the rest later; or an answer that comes late.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;

use crate::federation::{Federation, PATIENCE};

/// An invocation of an echo function, half of whose body is sent.
pub struct HalfSent {
    stream: TcpStream,
    body: Vec<u8>,
}

impl HalfSent {
    /// Connects as a user beside node 1 and sends the head and half of `body`.
    pub fn begin(federation: &Federation, function: &str, body: Vec<u8>) -> Self {
        let target = federation.nodes[0].address();
        let connect = || TcpStream::connect_timeout(&target, PATIENCE);
        let mut stream = federation.lab.users(1).run(connect).unwrap().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        let head = format!(
            "POST /function/{function} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body[..body.len() / 2]).unwrap();
        Self { stream, body }
    }

    /// Sends the rest and reads until the connection ends, which must be by an error; its kind.
    pub fn finish_in_vain(mut self) -> ErrorKind {
        let mut answer = Vec::new();
        let sent = self.stream.write_all(&self.body[self.body.len() / 2..]);
        let ended = sent.and_then(|()| self.stream.read_to_end(&mut answer));
        ended.expect_err("the connection is cut").kind()
    }

    /// Sends the rest and reads the answer, which must be the body; the node that served it.
    pub fn finish(mut self) -> String {
        self.stream.write_all(&self.body[self.body.len() / 2..]).unwrap();
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).unwrap();
        let at = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let (head, body) = (String::from_utf8_lossy(&answer[..at]).to_lowercase(), &answer[at + 4..]);
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        assert!(head.contains("\r\ncontent-length: "), "{head}");
        assert!(body == self.body, "the echo differs: {} of {} bytes", body.len(), self.body.len());
        head.lines().find_map(|line| line.strip_prefix("dfaas-node: ")).unwrap().trim().to_owned()
    }
}

/// So many invocations at the same time, on threads of their own; each returns the node that served it.
pub fn in_background(
    federation: &Federation,
    function: &'static str,
    count: usize,
) -> Vec<JoinHandle<Result<String>>> {
    let target = federation.nodes[0].address();
    let users = federation.lab.users(1);
    let invoke = move || async move {
        let request = hyper::Request::post(format!("/function/{function}"))
            .header("host", target.to_string())
            .header("connection", "close")
            .body(http_body_util::Full::new(bytes::Bytes::from_static(b"hello")))
            .unwrap();
        let answer = dfaas_tests::http::send(target, request, PATIENCE).await?;
        anyhow::ensure!(answer.status() == 200, "{answer:?}");
        Ok(crate::federation::node_of(&answer))
    };
    (0..count)
        .map(|_| {
            let thread = users.spawn_async(invoke).unwrap();
            std::thread::spawn(move || thread.join().unwrap()?)
        })
        .collect()
}

/// Waits for all of them; who served, or the first failure.
pub fn nodes_of(threads: Vec<JoinHandle<Result<String>>>) -> Vec<String> {
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap().unwrap_or_else(|error| panic!("{error:#}")))
        .collect()
}
