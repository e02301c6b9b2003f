//! A small model server for the strategy `external`: it divides every function by the nodes' capacities.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::namespace::Namespace;

/// Longest question that is read, in bytes.
const MAX_QUESTION: usize = 1 << 20;

/// A model server that answers until it is dropped.
#[derive(Debug)]
pub struct Policy {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<Result<()>>>>,
}

impl Policy {
    /// Answers at this port of the namespace's loopback, by these capacities of nodes.
    pub fn start(namespace: &Namespace, port: u16, capacities: BTreeMap<String, f64>) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let thread = namespace.spawn_async(move || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
            let listener =
                listener.with_context(|| format!("the model server cannot listen at port {port}"))?;
            tokio::select! {
                _ = stopped => Ok(()),
                result = serve(listener, capacities) => result,
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn serve(listener: TcpListener, capacities: BTreeMap<String, f64>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("the model server cannot accept")?;
        let capacities = capacities.clone();
        let service = service_fn(move |request| answer(request, capacities.clone()));
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client that breaks off is no concern of the server's.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(
    request: Request<Incoming>,
    capacities: BTreeMap<String, f64>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let body = Limited::new(request.into_body(), MAX_QUESTION).collect().await;
    let question: Value =
        body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok()).unwrap_or_default();
    Ok(Response::new(Full::from(decide(&question, &capacities).to_string())))
}

/// The parts of every function that is asked about: by capacity, among the node and the peers that are named.
fn decide(question: &Value, capacities: &BTreeMap<String, f64>) -> Value {
    let capacity = |node: &str| capacities.get(node).copied().unwrap_or(0.0);
    let own = capacity(question["node"].as_str().unwrap_or_default());
    let divided = |seen: &Value| {
        let keys = seen.as_object().into_iter().flatten().map(|(key, _)| key);
        let peers = keys.filter_map(|key| key.strip_prefix("previous_fwd_to_node_"));
        let peers: Vec<&str> = peers.filter(|name| !name.ends_with("_rejected")).collect();
        let total = own + peers.iter().map(|peer| capacity(peer)).sum::<f64>();
        let part = |node: &str| if total > 0.0 { capacity(node) / total } else { 0.0 };
        let local = 1.0 - peers.iter().map(|peer| part(peer)).sum::<f64>();
        let mut parts = json!({ "local": local, "reject": 0.0 });
        for peer in peers {
            parts[format!("node_{peer}")] = part(peer).into();
        }
        parts
    };
    let functions = question["functions"].as_object().into_iter().flatten();
    functions.map(|(name, seen)| (name.clone(), divided(seen))).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_divided_by_capacity_among_those_that_are_named() {
        let capacities =
            [("a", 10.0), ("b", 30.0), ("c", 60.0)].map(|(name, most)| (name.to_owned(), most)).into();
        let seen =
            json!({ "input_rate": 5, "previous_fwd_to_node_b": 0, "previous_fwd_to_node_b_rejected": 0 });
        let question = json!({ "node": "a", "functions": { "figlet": seen, "env": {} } });
        let expected = json!({
            "figlet": { "local": 0.25, "reject": 0.0, "node_b": 0.75 },
            "env": { "local": 1.0, "reject": 0.0 },
        });
        assert_eq!(decide(&question, &capacities), expected);
    }
}
