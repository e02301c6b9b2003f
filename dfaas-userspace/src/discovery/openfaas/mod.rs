//! The provider of OpenFaaS, faasd and `dfaas gateway`: admin API, health and metrics.

mod counting;
mod exposition;
mod health;
mod http;
mod listing;

use std::net::SocketAddr;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::Url;

use super::counts::Counts;
use super::error::DiscoveryError;
use super::provider::{ListedFunction, Listing, Provider};
use crate::config::Gateway;
use health::Health;
use http::Http;

/// Most namespaces that are asked one by one.
const MAX_NAMESPACES: usize = 64;

/// A gateway that speaks the API of OpenFaaS.
#[derive(Debug)]
pub struct OpenFaas {
    http: Http,
    api: Url,
    health: Option<Health>,
    metrics: Option<Url>,
}

impl OpenFaas {
    /// The node's own gateway, which is asked for its health at `address` if that is one of its own.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn own(gateway: &Gateway, address: Option<SocketAddr>) -> Result<Self, String> {
        Self::new(gateway, address, "gateway")
    }

    /// A gateway beside it, which takes invocations at `address`; errors name the keys of its table.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn foreign(gateway: &Gateway, address: SocketAddr) -> Result<Self, String> {
        Self::new(gateway, Some(address), "foreign_gateway")
    }

    fn new(gateway: &Gateway, address: Option<SocketAddr>, table: &'static str) -> Result<Self, String> {
        Ok(Self {
            http: Http::new(gateway.credentials.clone(), table)?,
            api: gateway.url.clone(),
            health: address.map(Health::new).transpose()?,
            metrics: gateway.metrics.clone(),
        })
    }

    async fn read(&self, before: Option<&Listing>) -> Result<Listing, DiscoveryError> {
        let known = || before.map(|listing| listing.namespaces.clone()).unwrap_or_default();
        let namespaces = match self.http.admin(&self.path("system/namespaces", None)).await {
            Ok(body) => listing::namespaces(&body).unwrap_or_else(|_| known()),
            // Gateways without namespaces do not know the path.
            Err(DiscoveryError::Status { status: 404, .. }) => Vec::new(),
            Err(DiscoveryError::Unreachable { .. } | DiscoveryError::Status { .. }) => known(),
            Err(other) => {
                tracing::debug!("{other}");
                known()
            }
        };
        let functions = self.functions(None).await?;
        let mut listing = Listing { gateway: self.api.to_string(), namespaces, functions };
        let default = listing.default_namespace().to_owned();
        for namespace in listing.namespaces.iter().filter(|name| **name != default).take(MAX_NAMESPACES) {
            let mut others = self.functions(Some(namespace)).await?;
            // Without its own word a function belongs where it was asked for.
            others.iter_mut().for_each(|function| {
                function.namespace.get_or_insert_with(|| namespace.clone());
            });
            listing.functions.append(&mut others);
        }
        Ok(listing)
    }

    async fn functions(&self, namespace: Option<&str>) -> Result<Vec<ListedFunction>, DiscoveryError> {
        let url = self.path("system/functions", namespace);
        let body = self.http.admin(&url).await?;
        listing::functions(&body).map_err(|cause| DiscoveryError::Malformed { url: url.to_string(), cause })
    }

    fn path(&self, path: &str, namespace: Option<&str>) -> Url {
        let mut url = self.api.clone();
        url.set_path(&format!("{}/{path}", self.api.path().trim_end_matches('/')));
        if let Some(namespace) = namespace {
            url.query_pairs_mut().append_pair("namespace", namespace);
        }
        url
    }
}

impl Provider for OpenFaas {
    fn address(&self) -> &str {
        self.api.as_str()
    }

    fn list<'a>(&'a self, before: Option<&'a Listing>) -> BoxFuture<'a, Result<Listing, DiscoveryError>> {
        self.read(before).boxed()
    }

    fn health(&self) -> Option<BoxFuture<'_, Result<(), String>>> {
        Some(self.health.as_ref()?.check().boxed())
    }

    fn counts(&self) -> Option<BoxFuture<'_, Result<Counts, DiscoveryError>>> {
        let url = self.metrics.as_ref()?;
        let read = async move {
            let body = self.http.open(url).await?;
            // What is no text is passed over line by line, as all that is no sample.
            Ok(counting::counts(&String::from_utf8_lossy(&body)))
        };
        Some(read.boxed())
    }
}
