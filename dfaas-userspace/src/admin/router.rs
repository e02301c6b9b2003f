use std::time::Instant;

use axum::extract::{Request, State as Extract};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dfaas_control::Time;
use serde_json::json;

use super::explain;
use super::flows;
use super::metrics;
use super::view::View;
use crate::agent::Word;
use crate::config::Secret;

/// The paths of the Unix socket: everything.
pub(super) fn commands(view: View) -> Router {
    let reports = Router::new()
        .route("/status", get(status))
        .route("/peers", get(peers))
        .route("/functions", get(functions))
        .route("/plan", get(plan))
        .route("/measured", get(measured))
        .route("/explain", get(explain::explain))
        .route("/flows", get(flows::flows))
        .route("/flows/follow", get(flows::follow))
        .route("/drain", post(drain))
        .route("/resume", post(resume))
        .with_state(view.clone());
    reports.merge(public(view, None))
}

/// The paths of the TCP address; with a token, only for who brings it.
pub(super) fn public(view: View, token: Option<Secret>) -> Router {
    let router = Router::new()
        .route("/metrics", get(encoded))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(view);
    match token {
        Some(token) => router.layer(from_fn_with_state(token, bearer)),
        None => router,
    }
}

async fn bearer(Extract(token): Extract<Secret>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if given.is_some_and(|(_, given)| token.matches(given.trim())) {
        return next.run(request).await;
    }
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer")],
        "the token of admin.token_file is needed\n",
    )
        .into_response()
}

async fn status(Extract(view): Extract<View>) -> Response {
    let snapshot = view.snapshot().await;
    Json(view.state().status(&snapshot, Instant::now())).into_response()
}

async fn peers(Extract(view): Extract<View>) -> Response {
    let snapshot = view.snapshot().await;
    let state = view.state();
    Json(state.peer_reports(&snapshot, Time(state.started.elapsed()))).into_response()
}

async fn functions(Extract(view): Extract<View>) -> Response {
    let snapshot = view.snapshot().await;
    Json(view.state().function_reports(&snapshot)).into_response()
}

async fn plan(Extract(view): Extract<View>) -> Response {
    Json(view.state().plan_reports(Instant::now())).into_response()
}

async fn measured(Extract(view): Extract<View>) -> Response {
    let snapshot = view.snapshot().await;
    let state = view.state();
    let peers = state.peer_reports(&snapshot, Time(state.started.elapsed()));
    Json(state.measured(&snapshot, &peers)).into_response()
}

async fn drain(Extract(view): Extract<View>) -> Response {
    operate(&view, Word::Drain).await
}

async fn resume(Extract(view): Extract<View>) -> Response {
    operate(&view, Word::Resume).await
}

async fn operate(view: &View, word: Word) -> Response {
    match view.operate(word).await {
        Ok(report) => Json(report).into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn healthz(Extract(view): Extract<View>) -> Response {
    let health = view.state().health(Instant::now());
    (when(health.ok), Json(health)).into_response()
}

async fn readyz(Extract(view): Extract<View>) -> Response {
    let ready = view.state().ready();
    (when(ready), Json(json!({ "ready": ready }))).into_response()
}

fn when(ok: bool) -> StatusCode {
    if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn encoded(Extract(view): Extract<View>) -> Response {
    let snapshot = view.snapshot().await;
    match metrics::encode(view.state(), snapshot, &view.tick_seconds) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("metrics: {error}\n")).into_response(),
    }
}
