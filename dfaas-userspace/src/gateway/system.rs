//! The admin routes, `/system/...`.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use humantime_serde::re::humantime::format_rfc3339_seconds;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Gateway;
use super::auth::guard;
use super::function::Function;
use super::name::{FunctionName, is_label};
use super::wire::{Deployment, FunctionStatus, Removal, Scaling};

/// The largest body that these routes read, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// An answer that says what is wrong.
type Refusal = (StatusCode, String);

#[derive(Debug, Default, Deserialize)]
struct Where {
    namespace: Option<String>,
}

/// The routes, below `/system`.
pub fn routes(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    Router::new()
        .route("/functions", get(list).post(deploy).put(update).delete(remove))
        .route("/function/{name}", get(show))
        .route("/scale-function/{name}", post(scale))
        .route("/info", get(info))
        .route("/namespaces", get(namespaces))
        .fallback(super::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(gateway), guard))
}

async fn list(State(gateway): State<Arc<Gateway>>, Query(place): Query<Where>) -> Response {
    let namespace = given(place.namespace.as_deref()).unwrap_or(&gateway.namespace);
    let all = gateway.functions.all();
    let here = all.iter().filter(|(name, _)| name.namespace == namespace);
    let list: Vec<_> = here.map(|(name, function)| status(&gateway, name, function)).collect();
    Json(list).into_response()
}

async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(called): Path<String>,
    Query(place): Query<Where>,
) -> Result<Response, Refusal> {
    let name = name_of(&gateway, &called, place.namespace.as_deref())?;
    let function = gateway.functions.get(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(status(&gateway, &name, &function)).into_response())
}

async fn deploy(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Result<StatusCode, Refusal> {
    let (name, function) = requested(&gateway, &body)?;
    if gateway.functions.add(name.clone(), function) {
        tracing::info!(function = %name, "deployed");
        return Ok(StatusCode::ACCEPTED);
    }
    Err((StatusCode::CONFLICT, format!("function {name} exists already; update it with PUT\n")))
}

async fn update(State(gateway): State<Arc<Gateway>>, body: Bytes) -> Result<StatusCode, Refusal> {
    let (name, function) = requested(&gateway, &body)?;
    if gateway.functions.update(&name, function) {
        tracing::info!(function = %name, "updated");
        return Ok(StatusCode::ACCEPTED);
    }
    Err(unknown(&name))
}

async fn remove(
    State(gateway): State<Arc<Gateway>>,
    Query(place): Query<Where>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let removal: Removal = read(&body)?;
    let namespace = removal.namespace.as_deref().or(place.namespace.as_deref());
    let name = name_of(&gateway, &removal.function_name, namespace)?;
    if gateway.functions.remove(&name) {
        tracing::info!(function = %name, "removed");
        return Ok(StatusCode::ACCEPTED);
    }
    Err(unknown(&name))
}

async fn scale(
    State(gateway): State<Arc<Gateway>>,
    Path(called): Path<String>,
    Query(place): Query<Where>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let scaling: Scaling = read(&body)?;
    let namespace = scaling.namespace.as_deref().or(place.namespace.as_deref());
    let name = name_of(&gateway, &called, namespace)?;
    let function = gateway.functions.get(&name).ok_or_else(|| unknown(&name))?;
    function.scale(scaling.replicas);
    tracing::info!(function = %name, replicas = scaling.replicas, "scaled");
    Ok(StatusCode::ACCEPTED)
}

async fn info() -> Response {
    let version = json!({ "sha": "", "release": env!("CARGO_PKG_VERSION") });
    let answer = json!({
        "provider": { "provider": "dfaas-gateway", "version": version, "orchestration": "none" },
        "version": { "commit_message": "", "sha": "", "release": env!("CARGO_PKG_VERSION") },
        "arch": std::env::consts::ARCH,
    });
    Json(answer).into_response()
}

async fn namespaces(State(gateway): State<Arc<Gateway>>) -> Json<Vec<String>> {
    let used = gateway.functions.all().into_iter().map(|(name, _)| name.namespace);
    let mut all: Vec<_> = used.chain([gateway.namespace.clone()]).collect();
    all.sort();
    all.dedup();
    Json(all)
}

/// The function that a client wants.
fn requested(gateway: &Gateway, body: &Bytes) -> Result<(FunctionName, Function), Refusal> {
    let deployment: Deployment = read(body)?;
    if !is_label(&deployment.service) {
        let reason = "service: must be 1 to 63 letters, digits, hyphens or underscores\n";
        return Err((StatusCode::BAD_REQUEST, reason.to_owned()));
    }
    let name = name_of(gateway, &deployment.service, deployment.namespace.as_deref())?;
    let function = Function::new(deployment, 1, SystemTime::now())
        .map_err(|reason| (StatusCode::BAD_REQUEST, format!("{name}: {reason}\n")))?;
    Ok((name, function))
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        (StatusCode::BAD_REQUEST, format!("the body is not the JSON expected here: {error}\n"))
    })
}

fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// The name of a function from its parts; a namespace of its own goes before one inside the name.
fn name_of(gateway: &Gateway, called: &str, namespace: Option<&str>) -> Result<FunctionName, Refusal> {
    let bare = called.split('.').next().unwrap_or_default();
    let parsed = match given(namespace) {
        Some(namespace) => FunctionName::parse(&format!("{bare}.{namespace}"), namespace),
        None => FunctionName::parse(called, &gateway.namespace),
    };
    parsed.ok_or_else(|| (StatusCode::BAD_REQUEST, format!("`{called}` is no name of a function\n")))
}

fn unknown(name: &FunctionName) -> Refusal {
    (StatusCode::NOT_FOUND, format!("no such function is deployed here: {name}\n"))
}

fn status(gateway: &Gateway, name: &FunctionName, function: &Function) -> FunctionStatus {
    let replicas = Some(function.replicas()).filter(|replicas| *replicas > 0);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let invocation_count = gateway.metrics.finished(&name.spellings(&gateway.namespace)) as f64;
    FunctionStatus {
        name: name.name.clone(),
        namespace: name.namespace.clone(),
        deployment: function.deployment.clone(),
        invocation_count,
        replicas,
        available_replicas: replicas,
        created_at: format_rfc3339_seconds(function.created).to_string(),
    }
}
