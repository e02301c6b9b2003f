//! Asks the model server.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{Action, FunctionId, Observation, QueryFailed};
use reqwest::{StatusCode, Url};

use super::query::Names;
use super::query_format::{actions, body};
use crate::config::External;

/// Longest answer that is read, in bytes: some hundred functions with as many peers as a plan holds.
pub(super) const MAX_ANSWER: usize = 1 << 20;

/// Why the model server gave no answer of use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    /// A strategy asks, and nobody said whom.
    #[error("no model server is configured; write control.external.url")]
    NotConfigured,
    /// No answer in time.
    #[error(
        "model server {url}: no answer within {timeout:?}; is it too slow, or control.external.timeout too short?"
    )]
    TimedOut { url: Url, timeout: Duration },
    /// No connection, or one that broke.
    #[error("model server {url}: no answer: {cause}; does it run, and is control.external.url its address?")]
    Unreachable { url: Url, cause: String },
    /// An answer other than 200.
    #[error("model server {url}: answered {status} instead of 200")]
    Status { url: Url, status: u16 },
    /// An answer longer than [`MAX_ANSWER`].
    #[error("model server {url}: answer longer than {MAX_ANSWER} bytes")]
    TooLong { url: Url },
    /// An answer that says nothing that can be done.
    #[error("model server {url}: {cause}")]
    Malformed { url: Url, cause: String },
}

impl QueryError {
    /// The word of the metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::TimedOut { .. } => "timed_out",
            Self::Unreachable { .. } => "unreachable",
            Self::Status { .. } => "status",
            Self::TooLong { .. } => "too_long",
            Self::Malformed { .. } => "malformed",
        }
    }
}

impl From<&QueryError> for QueryFailed {
    fn from(error: &QueryError) -> Self {
        match error {
            QueryError::TimedOut { .. } => Self::TimedOut,
            QueryError::NotConfigured | QueryError::Unreachable { .. } | QueryError::Status { .. } => {
                Self::Refused
            }
            QueryError::TooLong { .. } | QueryError::Malformed { .. } => Self::Unusable,
        }
    }
}

/// A client of the model server.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    http: reqwest::Client,
    url: Url,
    timeout: Duration,
    node: String,
}

impl Policy {
    /// A client that asks for this node.
    pub(super) fn new(external: &External, node: &str) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(external.timeout)
            .build()?;
        let mut url = external.url.clone();
        url.set_path(&format!("{}/action", external.url.path().trim_end_matches('/')));
        Ok(Self { http, url, timeout: external.timeout, node: node.to_owned() })
    }

    /// Asks how these functions are to be divided.
    pub(super) async fn action(
        &self,
        observations: &BTreeMap<FunctionId, Observation>,
        names: &Names,
    ) -> Result<BTreeMap<FunctionId, Action>, QueryError> {
        let body = body(&self.node, observations, names);
        let request = self.http.post(self.url.clone()).header("content-type", "application/json").body(body);
        let mut response = request.send().await.map_err(|cause| self.failed(&cause))?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(QueryError::Status { url: self.url.clone(), status: status.as_u16() });
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.failed(&cause))? {
            if answer.len() + chunk.len() > MAX_ANSWER {
                return Err(QueryError::TooLong { url: self.url.clone() });
            }
            answer.extend_from_slice(&chunk);
        }
        let asked = observations.keys().copied();
        actions(&answer, asked, names).map_err(|cause| QueryError::Malformed { url: self.url.clone(), cause })
    }

    fn failed(&self, error: &reqwest::Error) -> QueryError {
        let url = self.url.clone();
        if error.is_timeout() {
            return QueryError::TimedOut { url, timeout: self.timeout };
        }
        // The innermost cause names what happened, where the outer ones name the URL again.
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        QueryError::Unreachable { url, cause: cause.to_string() }
    }
}
