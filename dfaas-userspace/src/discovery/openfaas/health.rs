use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use super::http::innermost;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks a gateway whether it works, where it takes invocations, on a connection of its own each time: an idle one would
/// not notice that nobody listens any more.
#[derive(Debug)]
pub(super) struct Health {
    http: reqwest::Client,
    url: Url,
}

impl Health {
    /// Of the gateway at this address.
    ///
    /// # Errors
    /// If the HTTP client cannot be made, or the address is no part of a URL.
    pub(super) fn new(address: SocketAddr) -> Result<Self, String> {
        // Answers of others than the gateway itself say nothing of it.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(TIMEOUT)
            .build();
        let url = format!("http://{address}/healthz").parse();
        Ok(Self {
            http: http.map_err(|cause| cause.to_string())?,
            url: url.map_err(|cause| format!("{address}: {cause}"))?,
        })
    }

    /// Asks once.
    ///
    /// # Errors
    /// Why it does not work, in words.
    pub(super) async fn check(&self) -> Result<(), String> {
        match self.http.get(self.url.clone()).send().await {
            Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
            Ok(answer) => Err(format!("{} answered {}", self.url, answer.status().as_u16())),
            Err(cause) => Err(format!("{}: no answer: {}", self.url, innermost(&cause, TIMEOUT))),
        }
    }
}
