//! Who may use the admin routes.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Gateway;
use super::body::discard;

/// What a request to an admin route gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It goes through.
    Granted,
    /// It must name user and password.
    NeedsCredentials,
    /// It would change something, and this gateway has no password that could allow it.
    ReadOnly,
}

/// Decides over a request. With a password everything needs it; without one, reading is open to all.
pub fn access(method: &Method, headers: &HeaderMap, user: &str, password: Option<&str>) -> Access {
    let Some(password) = password else {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        return if reads { Access::Granted } else { Access::ReadOnly };
    };
    let expected = format!("{user}:{password}");
    match credentials(headers) {
        Some(given) if same(&given, expected.as_bytes()) => Access::Granted,
        _ => Access::NeedsCredentials,
    }
}

/// The `user:password` of a request with basic authentication.
fn credentials(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok())?
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

/// Lets through what [`access`] grants and answers the rest.
pub async fn guard(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let password = gateway.password.as_ref().map(|password| password.0.as_str());
    match access(request.method(), request.headers(), &gateway.user, password) {
        Access::Granted => next.run(request).await,
        Access::NeedsCredentials => {
            let mut response = (StatusCode::UNAUTHORIZED, "invalid credentials\n").into_response();
            let challenge = HeaderValue::from_static("Basic realm=\"Restricted\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            discard(request, &mut response);
            response
        }
        Access::ReadOnly => {
            let reason = "changes need a password, and this gateway has none: set password_file\n";
            let mut response = (StatusCode::FORBIDDEN, reason).into_response();
            discard(request, &mut response);
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(authorization: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap())])
    }

    #[test]
    fn without_a_password_all_may_read_and_nobody_may_change() {
        let none = HeaderMap::new();
        assert_eq!(access(&Method::GET, &none, "admin", None), Access::Granted);
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(access(&method, &none, "admin", None), Access::ReadOnly);
        }
    }

    #[test]
    fn with_a_password_only_the_right_user_and_password_pass() {
        let right = format!("Basic {}", STANDARD.encode("admin:pa:ss"));
        let try_with = |value: &str| access(&Method::POST, &with(value), "admin", Some("pa:ss"));
        assert_eq!(try_with(&right), Access::Granted);
        assert_eq!(try_with(&right.replace("Basic", "bAsIc")), Access::Granted);
        for wrong in ["admin:pa:s", "admin:pa:sS", "root:pa:ss", "", ":"] {
            assert_eq!(try_with(&format!("Basic {}", STANDARD.encode(wrong))), Access::NeedsCredentials);
        }
        for wrong in ["Basic", "Basic !!!", "Bearer x", "admin:pa:ss"] {
            assert_eq!(try_with(wrong), Access::NeedsCredentials);
        }
        let none = HeaderMap::new();
        assert_eq!(access(&Method::GET, &none, "admin", Some("pa:ss")), Access::NeedsCredentials);
    }
}
