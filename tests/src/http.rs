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

/// Sends one request on a new connection and reads the whole answer, from wherever the caller's runtime makes
/// its sockets.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>, limit: Duration) -> Result<Answer> {
    let exchange = async {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("no HTTP connection")?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.context("no answer")?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.context("the answer broke off")?.to_bytes();
        connection.abort();
        anyhow::Ok(Answer::from_parts(head, body))
    };
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
