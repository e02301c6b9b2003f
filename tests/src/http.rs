//! Small HTTP requests, for readiness and for tests.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::namespace::Namespace;

/// Status, headers and body of an answer.
pub type Answer = hyper::Response<Bytes>;

/// One connection that carries request after request.
#[derive(Debug)]
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: tokio::task::JoinHandle<()>,
    local: SocketAddr,
}

impl Connection {
    /// Connects from wherever the caller's runtime makes its sockets.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        Self::on(TcpStream::connect(address).await.context("cannot connect")?).await
    }

    /// The same on a connected socket.
    pub async fn on(stream: TcpStream) -> Result<Self> {
        let local = stream.local_addr().context("the connection has no address")?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("no HTTP connection")?;
        // How it ended is known from the answers.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver, local })
    }

    /// The client's own address and port.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends a request and reads the whole answer.
    pub async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let answer = self.sender.send_request(request).await.context("no answer")?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.context("the answer broke off")?.to_bytes();
        Ok(Answer::from_parts(head, body))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Sends one request on a new connection and reads the whole answer, from wherever the caller's runtime makes
/// its sockets.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>, limit: Duration) -> Result<Answer> {
    let exchange = async { Connection::open(address).await?.exchange(request).await };
    match tokio::time::timeout(limit, exchange).await {
        Ok(result) => result.with_context(|| format!("{address} failed")),
        Err(_) => anyhow::bail!("{address} did not answer within {limit:?}"),
    }
}

/// Sends `request` to `address`, from inside `namespace`.
pub fn exchange(
    namespace: &Namespace,
    address: SocketAddr,
    request: Request<Full<Bytes>>,
    limit: Duration,
) -> Result<Answer> {
    namespace.block_on(|| send(address, request, limit))?
}

/// `GET path` at `address`, from inside `namespace`.
pub fn get(namespace: &Namespace, address: SocketAddr, path: &str, limit: Duration) -> Result<Answer> {
    let request = Request::get(path)
        .header("host", address.to_string())
        .header("connection", "close")
        .body(Full::default())
        .context("not a request")?;
    namespace.block_on(|| send(address, request, limit))?
}

/// `POST path` at `address` with a body, from inside `namespace`.
pub fn post(
    namespace: &Namespace,
    address: SocketAddr,
    path: &str,
    body: Bytes,
    limit: Duration,
) -> Result<Answer> {
    let request = Request::post(path)
        .header("host", address.to_string())
        .header("connection", "close")
        .body(Full::new(body))
        .context("not a request")?;
    namespace.block_on(|| send(address, request, limit))?
}
