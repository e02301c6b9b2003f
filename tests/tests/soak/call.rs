//! One request and its answer, as bytes: little work for the caller, and every byte of the answer is compared.

use std::net::SocketAddr;
use std::time::Duration;

use dfaas_tests::bench::FUNCTION;
use dfaas_tests::settings::node_name;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::LIMIT;

/// The nodes that may answer.
const NODES: std::ops::RangeInclusive<u8> = 1..=3;

/// What is sent, and the answers that are right.
#[derive(Debug, Clone)]
pub struct Call {
    request: Vec<u8>,
    /// The answer of node 1, 2 and 3; all of one length.
    answers: Vec<Vec<u8>>,
    close: bool,
}

impl Call {
    /// A request with so large a body; with `close` its answer ends the connection, and the server closes it.
    pub fn new(body: usize, close: bool) -> Self {
        let connection = if close { "connection: close\r\n" } else { "" };
        let head = format!("POST /function/{FUNCTION} HTTP/1.1\r\nhost: node:8080\r\n{connection}");
        let mut request = format!("{head}content-length: {body}\r\n\r\n").into_bytes();
        request.resize(request.len() + body, b'u');
        let text = body.to_string();
        let answer = |node| {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", text.len());
            format!("{head}dfaas-node: {}\r\n{connection}\r\n{text}", node_name(node)).into_bytes()
        };
        Self { request, answers: NODES.map(answer).collect(), close }
    }

    /// Connects, waits for as long as a user thinks, and exchanges; the node that answered.
    pub async fn alone(&self, target: SocketAddr, pause: Duration) -> Result<u8, String> {
        let mut stream = connect(target).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        self.on(&mut stream).await
    }

    /// Exchanges on a connection, which must end with the answer if it is to be closed; the node that answered. The
    /// error is the same for the same cause, so that it can be counted.
    pub async fn on(&self, stream: &mut TcpStream) -> Result<u8, String> {
        let exchange = tokio::time::timeout(LIMIT, self.exchange(stream)).await;
        exchange.unwrap_or_else(|_| Err(format!("no whole answer within {LIMIT:?}")))
    }

    async fn exchange(&self, stream: &mut TcpStream) -> Result<u8, String> {
        stream.write_all(&self.request).await.map_err(|error| format!("sending: {}", error.kind()))?;
        let length = self.answers[0].len();
        let (mut answer, mut filled) = ([0; 512], 0);
        // One byte more than there may be, so that what is too long shows.
        while filled < length || self.close {
            let read = stream.read(&mut answer[filled..=length]).await;
            match read.map_err(|error| format!("reading: {}", error.kind()))? {
                0 => break,
                count => filled += count,
            }
            if filled > length || !answer[..filled].starts_with(&b"HTTP/1.1 200"[..filled.min(12)]) {
                break;
            }
        }
        let node = NODES.zip(&self.answers).find(|(_, right)| answer[..filled] == right[..]);
        node.map(|(node, _)| node).ok_or_else(|| {
            let text = String::from_utf8_lossy(&answer[..filled]);
            format!("a wrong answer of {filled} bytes: {:?}", text.lines().next().unwrap_or_default())
        })
    }
}

/// A connection to the node, from the users' only address.
pub async fn connect(target: SocketAddr) -> Result<TcpStream, String> {
    let connect = async {
        let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_nodelay(true)?;
        socket.connect(target).await
    };
    match tokio::time::timeout(LIMIT, connect).await {
        Ok(connected) => connected.map_err(|error| format!("connecting: {}", error.kind())),
        Err(_) => Err(format!("no connection within {LIMIT:?}")),
    }
}
