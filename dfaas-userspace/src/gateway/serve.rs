//! Accepting connections and serving HTTP/1 on them.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a connection may be without a complete request head.
const IDLE: Duration = Duration::from_secs(60);

/// How long running requests may take after the end was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a closed connection still takes what its caller sends, so that the caller gets the answer and not a
/// reset.
const LINGER: Duration = Duration::from_secs(2);

/// The pause after a failed accept, when the process is out of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves a router until `shutdown`, then lets running requests end, for ten seconds at most.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let connections = TaskTracker::new();
    let abort = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let served = connection(stream, peer, router.clone(), shutdown.clone());
                connections.spawn(abort.clone().run_until_cancelled_owned(served));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "closing connections with requests that still run");
        abort.cancel();
        connections.wait().await;
    }
}

/// Serves one connection to its end.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, shutdown: CancellationToken) {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%peer, %error, "socket options could not be set");
    }
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = routes.call(request);
        Box::pin(
            async move { Ok::<Response, Infallible>(answer.await.unwrap_or_else(|never| match never {})) },
        )
    });
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| http.poll_without_shutdown(cx)) => Some(ended),
        () = shutdown.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut http).graceful_shutdown();
            poll_fn(|cx| http.poll_without_shutdown(cx)).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "the connection ended early");
    }
    linger(http.into_parts().io.into_inner()).await;
}

/// Small answers leave at once, and callers that vanished are noticed.
fn tune(stream: &TcpStream) -> std::io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    stream.set_nodelay(true)
}

/// Closes a connection in two steps: nothing more is sent, and what still arrives is thrown away for a while.
/// Closing with unread bytes would make the kernel reset the connection and drop the answer on its way.
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut unread = [0; 4096];
    let drained = timeout(LINGER, async { while matches!(stream.read(&mut unread).await, Ok(1..)) {} });
    if drained.await.is_err() {
        tracing::debug!("the caller kept its side of a closed connection open");
    }
}
