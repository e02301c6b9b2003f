use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode, Url};

use crate::config::Secret;
use crate::discovery::{DiscoveryError, MAX_ANSWER};

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Reads answers of bounded length within a bounded time.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    credentials: Option<(String, Secret)>,
    /// The table of the configuration that is about the gateway.
    table: &'static str,
}

impl Http {
    pub(super) fn new(credentials: Option<(String, Secret)>, table: &'static str) -> Result<Self, String> {
        // A proxy or a redirect would carry the password elsewhere.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .build()
            .map_err(|cause| cause.to_string())?;
        Ok(Self { client, credentials, table })
    }

    /// Reads from the admin API.
    pub(super) async fn admin(&self, url: &Url) -> Result<Vec<u8>, DiscoveryError> {
        let mut request = self.client.get(url.clone());
        if let Some((user, password)) = &self.credentials {
            request = request.basic_auth(user, Some(password.reveal()));
        }
        let table = self.table;
        read(url, request, |status| match status {
            StatusCode::UNAUTHORIZED => format!("; check {table}.user and {table}.password_file"),
            StatusCode::NOT_FOUND => format!("; is {table}.url the address of an OpenFaaS gateway?"),
            _ => String::new(),
        })
        .await
    }

    /// Reads from where no password is asked for; it is not shown there.
    pub(super) async fn open(&self, url: &Url) -> Result<Vec<u8>, DiscoveryError> {
        let hint = |_| format!("; is {}.metrics where the gateway tells its metrics?", self.table);
        read(url, self.client.get(url.clone()), hint).await
    }
}

async fn read(
    url: &Url,
    request: RequestBuilder,
    hint: impl Fn(StatusCode) -> String,
) -> Result<Vec<u8>, DiscoveryError> {
    let unreachable = |cause: reqwest::Error| DiscoveryError::Unreachable {
        url: url.to_string(),
        cause: innermost(&cause, TIMEOUT),
    };
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status != StatusCode::OK {
        let (url, hint) = (url.to_string(), hint(status));
        return Err(DiscoveryError::Status { url, status: status.as_u16(), hint });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(DiscoveryError::TooLong { url: url.to_string() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause at the bottom, which names what happened ("Connection refused") where the outer ones name the URL again.
pub(super) fn innermost(error: &reqwest::Error, limit: Duration) -> String {
    if error.is_timeout() {
        return format!("none within {} s", limit.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
