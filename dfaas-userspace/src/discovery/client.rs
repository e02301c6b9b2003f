use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{StatusCode, Url};

use super::catalogue::Catalogue;
use super::listing;
use super::memory::{Listing, Memory};
use crate::config::{FunctionOverride, Gateway};

/// Longest answer that is read, in bytes: some ten thousand functions.
pub const MAX_ANSWER: usize = 8 << 20;

/// Most namespaces that are asked one by one.
const MAX_NAMESPACES: usize = 64;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why the list of functions could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No answer.
    #[error("gateway {url}: no answer: {cause}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What went wrong.
        cause: String,
    },
    /// An answer other than 200.
    #[error("gateway {url}: answered {status}{hint}")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// What to do; empty if that is not known.
        hint: String,
    },
    /// An answer longer than [`MAX_ANSWER`].
    #[error("gateway {url}: answer longer than {MAX_ANSWER} bytes")]
    TooLong {
        /// What was asked.
        url: String,
    },
    /// An answer that is not what OpenFaaS gateways answer.
    #[error("gateway {url}: {cause}; is it the address of an OpenFaaS gateway?")]
    Malformed {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// Asks one gateway for its functions. Remembers the namespaces, so that a passing failure to list them loses no function.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    gateway: Gateway,
    overrides: BTreeMap<String, FunctionOverride>,
    namespaces: Vec<String>,
    memory: Option<Memory>,
    /// The table of the configuration that is about it.
    table: &'static str,
}

impl Client {
    /// A client of `gateway` that lays `overrides` over what the labels say.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(
        gateway: Gateway,
        overrides: BTreeMap<String, FunctionOverride>,
    ) -> Result<Self, reqwest::Error> {
        // A proxy or a redirect would carry the password elsewhere.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .build()?;
        Ok(Self { http, gateway, overrides, namespaces: Vec::new(), memory: None, table: "gateway" })
    }

    /// The address of the gateway's admin API.
    pub fn url(&self) -> &Url {
        &self.gateway.url
    }

    /// The same for a gateway beside the node's own; errors name the keys of its table.
    pub fn foreign(mut self) -> Self {
        self.table = "foreign_gateway";
        self
    }

    /// Has the client keep what the gateway tells in `memory`; and what was kept there of this gateway, if anything.
    pub fn remember(&mut self, mut memory: Memory) -> Option<Catalogue> {
        let kept = memory.recall(self.gateway.url.as_str());
        self.memory = Some(memory);
        let kept = kept?;
        let catalogue =
            Catalogue::new(&kept.functions, listing::default_namespace(&kept.namespaces), &self.overrides);
        self.namespaces = kept.namespaces;
        Some(catalogue)
    }

    /// Reads the gateway's functions, all namespaces.
    ///
    /// # Errors
    /// If the gateway does not answer, or not as one does.
    pub async fn catalogue(&mut self) -> Result<Catalogue, DiscoveryError> {
        let namespaces = self.path("system/namespaces", None);
        match self.get(&namespaces).await {
            Ok(body) => {
                if let Ok(names) = listing::namespaces(&body) {
                    self.namespaces = names;
                }
            }
            // Gateways without namespaces do not know the path.
            Err(DiscoveryError::Status { status: 404, .. }) => self.namespaces.clear(),
            Err(DiscoveryError::Unreachable { .. } | DiscoveryError::Status { .. }) => {}
            Err(other) => tracing::debug!("{other}"),
        }
        let default = listing::default_namespace(&self.namespaces).to_owned();
        let mut listed = self.functions(None).await?;
        for namespace in self.namespaces.iter().filter(|name| **name != default).take(MAX_NAMESPACES) {
            let mut others = self.functions(Some(namespace)).await?;
            // Without its own word a function belongs where it was asked for.
            others.iter_mut().for_each(|function| {
                function.namespace.get_or_insert_with(|| namespace.clone());
            });
            listed.append(&mut others);
        }
        let catalogue = Catalogue::new(&listed, &default, &self.overrides);
        if let Some(memory) = &mut self.memory {
            memory.keep(&Listing {
                gateway: self.gateway.url.to_string(),
                namespaces: self.namespaces.clone(),
                functions: listed,
            });
        }
        Ok(catalogue)
    }

    async fn functions(
        &self,
        namespace: Option<&str>,
    ) -> Result<Vec<listing::ListedFunction>, DiscoveryError> {
        let url = self.path("system/functions", namespace);
        let body = self.get(&url).await?;
        listing::functions(&body).map_err(|cause| DiscoveryError::Malformed { url: url.to_string(), cause })
    }

    fn path(&self, path: &str, namespace: Option<&str>) -> Url {
        let mut url = self.gateway.url.clone();
        url.set_path(&format!("{}/{path}", self.gateway.url.path().trim_end_matches('/')));
        if let Some(namespace) = namespace {
            url.query_pairs_mut().append_pair("namespace", namespace);
        }
        url
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, DiscoveryError> {
        let mut request = self.http.get(url.clone());
        if let Some((user, password)) = &self.gateway.credentials {
            request = request.basic_auth(user, Some(password.reveal()));
        }
        let unreachable = |cause: reqwest::Error| DiscoveryError::Unreachable {
            url: url.to_string(),
            cause: innermost(&cause, TIMEOUT),
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status != StatusCode::OK {
            let table = self.table;
            let hint = match status {
                StatusCode::UNAUTHORIZED => format!("; check {table}.user and {table}.password_file"),
                StatusCode::NOT_FOUND => format!("; is {table}.url the address of an OpenFaaS gateway?"),
                _ => String::new(),
            };
            return Err(DiscoveryError::Status { url: url.to_string(), status: status.as_u16(), hint });
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
