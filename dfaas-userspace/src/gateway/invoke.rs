//! Invocations: `/function/NAME` and all below it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Map, Value, json};

use super::Gateway;
use super::behaviour::Kind;
use super::body::{Echo, Metered, PATIENCE, discard};
use super::function::Function;
use super::metrics::Invocation;
use super::name::{FunctionName, called_in};

const CALL_ID: HeaderName = HeaderName::from_static("x-call-id");
const START_TIME: HeaderName = HeaderName::from_static("x-start-time");
const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What `X-Served-By` says.
const PRODUCT: &str = concat!("dfaas-gateway/", env!("CARGO_PKG_VERSION"));

/// Answers an invocation.
pub async fn invoke(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let parsed = called_in(request.uri().path())
        .and_then(|called| Some((called.to_owned(), FunctionName::parse(called, &gateway.namespace)?)));
    let Some((called, name)) = parsed else {
        let mut response = super::not_found().await;
        discard(request, &mut response);
        return response;
    };
    let marks = mark(request.headers_mut(), peer);
    let function = gateway.functions.get(&name);
    let invocation = gateway.metrics.begin(&called, function.is_some());
    let mut response = match function {
        Some(function) => answer(&gateway, &name, &function, peer, request, invocation).await,
        None => {
            let reason = format!("error finding function {name}: no such function is deployed here\n");
            refuse(StatusCode::NOT_FOUND, reason, request, invocation)
        }
    };
    response.headers_mut().extend(marks);
    response
}

/// Adds to a request what OpenFaaS adds for its functions, and gives the headers that the answer gets: the
/// call's id (the caller's own if it sent one), the time of its arrival, and this program.
fn mark(headers: &mut HeaderMap, peer: SocketAddr) -> HeaderMap {
    let call_id = headers.get(CALL_ID).cloned().unwrap_or_else(|| ascii(&call_id(rand::random())));
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let start = ascii(&nanoseconds.to_string());
    headers.insert(CALL_ID, call_id.clone());
    headers.insert(START_TIME, start.clone());
    if !headers.contains_key(FORWARDED_FOR) {
        headers.insert(FORWARDED_FOR, ascii(&peer.to_string()));
    }
    if !headers.contains_key(FORWARDED_HOST)
        && let Some(host) = headers.get(header::HOST).cloned()
    {
        headers.insert(FORWARDED_HOST, host);
    }
    HeaderMap::from_iter([
        (CALL_ID, call_id),
        (START_TIME, start),
        (SERVED_BY, HeaderValue::from_static(PRODUCT)),
    ])
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("numbers and addresses are printable ASCII")
}

/// A version 4 UUID of 128 random bits.
fn call_id(random: u128) -> String {
    let bits = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

async fn answer(
    gateway: &Gateway,
    name: &FunctionName,
    function: &Function,
    peer: SocketAddr,
    request: Request,
    mut invocation: Invocation,
) -> Response {
    if function.replicas() == 0 {
        let reason = format!("No endpoints available for: {name}.\n");
        return refuse(StatusCode::SERVICE_UNAVAILABLE, reason, request, invocation);
    }
    if !function.admission.admits() {
        let reason = format!("{name} takes no more invocations at the moment\n");
        return refuse(StatusCode::TOO_MANY_REQUESTS, reason, request, invocation);
    }
    invocation.hold(function.admission.slot().await);
    if function.behaviour.kind == Kind::Whoami {
        let seen = Json(whoami(&gateway.name, peer, &request)).into_response();
        return finish(seen, request, invocation);
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
    let echo = match Echo::begin(request.into_body(), PATIENCE).await {
        Ok(echo) => echo,
        Err(error) => {
            let reason = format!("the request's body cannot be read: {error}\n");
            return Metered::attach(invocation, (StatusCode::BAD_REQUEST, reason).into_response());
        }
    };
    if let Err(reason) = function.behaviour.work().await {
        let reason = format!("{name}: {reason}\n");
        return Metered::attach(invocation, (StatusCode::INTERNAL_SERVER_ERROR, reason).into_response());
    }
    let mut response = Response::new(Body::new(echo));
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    Metered::attach(invocation, response)
}

fn refuse(status: StatusCode, reason: String, request: Request, invocation: Invocation) -> Response {
    finish((status, reason).into_response(), request, invocation)
}

/// Sends an answer that does not need the request's body.
fn finish(mut response: Response, request: Request, invocation: Invocation) -> Response {
    discard(request, &mut response);
    Metered::attach(invocation, response)
}

/// What the gateway saw of a request. Headers of one name are joined by commas.
fn whoami(node: &str, peer: SocketAddr, request: &Request) -> Value {
    let mut headers = Map::new();
    for key in request.headers().keys() {
        let values = request.headers().get_all(key).iter();
        let joined: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(key.to_string(), joined.join(", ").into());
    }
    json!({
        "node": node,
        "peer": peer.to_string(),
        "method": request.method().as_str(),
        "path": request.uri().path_and_query().map_or("/", |path| path.as_str()),
        "headers": headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ids_are_random_uuids() {
        assert_eq!(call_id(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(call_id(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_ne!(call_id(rand::random()), call_id(rand::random()));
    }

    #[test]
    fn a_request_gets_the_peer_as_its_origin_only_where_it_names_none() {
        let peer: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("node1:8080"));
        mark(&mut headers, peer);
        assert_eq!(headers[FORWARDED_FOR], "192.0.2.1:4000");
        assert_eq!(headers[FORWARDED_HOST], "node1:8080");

        headers.insert(FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        headers.insert(CALL_ID, HeaderValue::from_static("mine"));
        let marks = mark(&mut headers, peer);
        assert_eq!(headers[FORWARDED_FOR], "198.51.100.7");
        assert_eq!(marks[CALL_ID], "mine");
    }
}
