//! One invocation, from connecting to the last byte of the answer.

use std::net::{IpAddr, SocketAddr};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::{TcpSocket, TcpStream};

use super::Load;

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// 200, with the right body.
    Ok {
        /// The node that served it, by its own account; empty if it gave none.
        node: String,
    },
    /// 429 or 503.
    Rejected {
        /// The status.
        reason: String,
        /// The node whose gateway refused it; empty if the data plane did.
        node: String,
    },
    /// Anything else.
    Failed {
        /// What happened.
        reason: String,
    },
}

/// Runs one invocation; never longer than the load's time-out.
pub(super) async fn invoke(load: &Load, source: Option<IpAddr>) -> Verdict {
    match tokio::time::timeout(load.timeout, exchange(load, source)).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(reason)) => Verdict::Failed { reason },
        Err(_) => Verdict::Failed { reason: format!("no whole answer within {:?}", load.timeout) },
    }
}

async fn exchange(load: &Load, source: Option<IpAddr>) -> Result<Verdict, String> {
    let stream = connect(load.target, source).await.map_err(|error| format!("connect: {}", kind(&error)))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| describe("handshake", &error))?;
    let request = Request::post(format!("/function/{}", load.function))
        .header(header::HOST, load.target.to_string())
        .header(header::CONNECTION, "close")
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Full::new(load.body.clone()))
        .map_err(|error| format!("request: {error}"))?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|error| describe("request", &error))?;
        let status = answer.status();
        let node = answer
            .headers()
            .get("dfaas-node")
            .and_then(|node| node.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let limit = load.body.len().max(1 << 20) + 1;
        let body = Limited::new(answer.into_body(), limit).collect().await;
        let body = body.map_err(|error| {
            error.downcast_ref().map_or_else(|| format!("answer: {error}"), |error| describe("answer", error))
        })?;
        Ok(judge(load, status, node, &body.to_bytes()))
    };
    tokio::pin!(answer);
    // The connection makes progress only while it is polled; when it ends first, its last words are in `answer`.
    tokio::select! {
        verdict = &mut answer => verdict,
        _ = connection => answer.await,
    }
}

async fn connect(target: SocketAddr, source: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = source {
        // The port is chosen when the target is known: all ports serve for each source.
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        socket.bind((source, 0).into())?;
    }
    socket.set_nodelay(true)?;
    socket.connect(target).await
}

/// What an answer means.
fn judge(load: &Load, status: StatusCode, node: String, body: &[u8]) -> Verdict {
    match status {
        StatusCode::OK if load.echoes && body != load.body => {
            Verdict::Failed { reason: format!("wrong body from {node}") }
        }
        StatusCode::OK => Verdict::Ok { node },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Verdict::Rejected { reason: format!("status {}", status.as_u16()), node }
        }
        _ => Verdict::Failed { reason: format!("status {}", status.as_u16()) },
    }
}

/// A reason that is the same for the same cause, so that it can be counted.
fn describe(step: &str, error: &hyper::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return format!("{step}: {}", kind(io));
        }
        cause = inner.source();
    }
    format!("{step}: {error}")
}

fn kind(error: &std::io::Error) -> String {
    error.kind().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn judged(status: u16, body: &[u8]) -> Verdict {
        let load = Load::new(([127, 0, 0, 1], 1).into(), "f", 1.0, Duration::ZERO);
        judge(&load, StatusCode::from_u16(status).unwrap(), "a".to_owned(), body)
    }

    #[test]
    fn only_the_right_body_with_200_is_ok() {
        assert_eq!(judged(200, b"hello from a user"), Verdict::Ok { node: "a".to_owned() });
        assert_eq!(judged(200, b"hello"), Verdict::Failed { reason: "wrong body from a".to_owned() });
    }

    #[test]
    fn refusals_for_want_of_capacity_are_told_from_failures() {
        for status in [429, 503] {
            assert!(matches!(judged(status, b""), Verdict::Rejected { .. }), "{status}");
        }
        for status in [201, 301, 404, 500, 502, 504] {
            assert!(matches!(judged(status, b""), Verdict::Failed { .. }), "{status}");
        }
    }
}
