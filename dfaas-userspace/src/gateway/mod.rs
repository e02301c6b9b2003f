//! A small gateway that answers as OpenFaaS does, with built-in functions: for trials, tests and single-binary
//! nodes.
//!
//! Functions come from the configuration file and from `POST /system/functions`. Four kinds are built in
//! ([`Kind`]): `echo`, `sleep`, `burn` and `whoami`. The first three stream the request's body back, so a caller
//! must read while it writes where bodies are large.
//!
//! A function has limits for all its replicas together ([`FunctionConfig::rate`],
//! [`FunctionConfig::concurrency`]); the number of replicas is only reported, except that a function with none is
//! answered 503, since this gateway does not scale from zero.
//!
//! Deploying a name that exists is answered 409, so that no function is replaced by mistake.

mod auth;
mod behaviour;
mod body;
mod bucket;
mod config;
mod function;
mod functions;
mod invoke;
mod listen;
mod metrics;
mod name;
mod serve;
mod system;
mod wire;

use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use behaviour::Kind;
pub use config::{ConfigError, FunctionConfig, GatewayConfig, Password};
pub use listen::Listeners;

use functions::Functions;
use metrics::Metrics;
use name::FunctionName;

/// The header that names the node that answered.
pub const NODE_HEADER: HeaderName = HeaderName::from_static("dfaas-node");

/// What all requests share.
#[derive(Debug)]
struct Gateway {
    name: String,
    namespace: String,
    user: String,
    password: Option<Password>,
    functions: Arc<Functions>,
    metrics: Arc<Metrics>,
}

impl Gateway {
    fn new(config: GatewayConfig) -> Result<Self> {
        config.check().map_err(|(key, reason)| anyhow!("{key}: {reason}"))?;
        let functions = Arc::new(Functions::default());
        let now = SystemTime::now();
        for (called, settings) in &config.functions {
            let name = FunctionName::parse(called, &config.namespace)
                .with_context(|| format!("functions.{called}: no name of a function"))?;
            let function = settings.deploy(now).map_err(|reason| anyhow!("functions.{called}: {reason}"))?;
            functions.add(name, function);
        }
        let metrics = Arc::new(Metrics::new(Arc::clone(&functions)));
        let GatewayConfig { name, namespace, user, password, .. } = config;
        Ok(Self { name, namespace, user, password, functions, metrics })
    }
}

/// Runs a gateway until `shutdown`, then lets running requests end, for ten seconds at most.
///
/// # Errors
/// When the configuration makes no sense or an address cannot be bound.
pub async fn run(config: GatewayConfig, shutdown: CancellationToken) -> Result<()> {
    let listeners = Listeners::bind(&config)?;
    run_on(config, listeners, shutdown).await
}

/// As [`run`], on sockets that are bound already; the addresses in `config` do not matter then.
///
/// # Errors
/// When the configuration makes no sense.
pub async fn run_on(config: GatewayConfig, listeners: Listeners, shutdown: CancellationToken) -> Result<()> {
    let gateway = Arc::new(Gateway::new(config)?);
    let tasks = TaskTracker::new();
    for listener in listeners.gateway {
        tracing::info!(node = gateway.name, address = ?listener.local_addr()?, "the gateway listens");
        tasks.spawn(serve::serve(listener, routes(&gateway), shutdown.clone()));
    }
    if let Some(listener) = listeners.metrics {
        tracing::info!(node = gateway.name, address = ?listener.local_addr()?, "metrics are served");
        tasks.spawn(serve::serve(listener, metrics_routes(&gateway), shutdown));
    }
    tasks.close();
    tasks.wait().await;
    Ok(())
}

fn routes(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/function/{name}", any(invoke::invoke))
        .route("/function/{name}/", any(invoke::invoke))
        .route("/function/{name}/{*path}", any(invoke::invoke))
        .nest("/system", system::routes(gateway))
        .route("/healthz", get(healthy))
        .route("/", get(to_ui))
        .fallback(refuse)
        .layer(map_response_with_state(Arc::clone(gateway), sign))
        .with_state(Arc::clone(gateway))
}

fn metrics_routes(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .route("/metrics", get(scrape))
        .route("/healthz", get(healthy))
        .layer(map_response_with_state(Arc::clone(gateway), sign))
        .with_state(Arc::clone(gateway))
}

/// Names the node on every answer.
async fn sign(State(gateway): State<Arc<Gateway>>, mut response: Response) -> Response {
    if let Ok(name) = HeaderValue::from_str(&gateway.name) {
        response.headers_mut().insert(NODE_HEADER, name);
    }
    response
}

async fn healthy() -> &'static str {
    "OK"
}

async fn to_ui() -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/ui/")]).into_response()
}

async fn refuse(request: Request) -> Response {
    let mut response = not_found().await;
    body::discard(request, &mut response);
    response
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

async fn scrape(State(gateway): State<Arc<Gateway>>) -> Response {
    match gateway.metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
