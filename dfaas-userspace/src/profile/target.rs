use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::Url;

use super::ProfileError;
use crate::config::Gateway;
use crate::discovery::{Catalogue, DiscoveryError, FunctionCounts, OpenFaas, Provider as _, valid_spelling};

/// The function that is profiled: at the gateway that the operator named, and nowhere else. Its host is looked up once, no
/// proxy of the environment is used, and redirects are answers like others.
#[derive(Debug)]
pub struct Target {
    provider: OpenFaas,
    url: Url,
    address: SocketAddr,
    name: String,
    spellings: Vec<String>,
    /// Its name and namespace at the gateway.
    pub(super) at_gateway: (String, String),
    replicas: u32,
    max_rate: Option<f64>,
    deadline: Duration,
}

impl Target {
    /// Asks the gateway for the function; nothing is invoked.
    ///
    /// # Errors
    /// If it does not answer, or has no such function that is ready.
    pub async fn find(gateway: &Gateway, function: &str) -> Result<Self, ProfileError> {
        if !valid_spelling(function) {
            let text =
                format!("\"{function}\" is no name of a function: 1 to 63 letters, digits, -, _ and .");
            return Err(ProfileError::Usage(text));
        }
        let address = look_up(&gateway.url).await?;
        let provider = OpenFaas::own(gateway, None).map_err(ProfileError::Client)?;
        let listing = provider.list(None).await?;
        let catalogue = Catalogue::new(
            &listing.functions,
            listing.default_namespace(),
            &std::collections::BTreeMap::new(),
        );
        let mut all = catalogue.functions.iter();
        let found = all.find(|(_, info)| info.spellings.iter().any(|spelling| spelling == function));
        let Some((name, info)) = found else {
            let names: Vec<&str> = catalogue.functions.keys().map(String::as_str).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let gateway = gateway.url.to_string();
            return Err(ProfileError::Unknown { gateway, function: function.to_owned(), there });
        };
        if info.available_replicas == 0 {
            return Err(ProfileError::NoReplica(name.clone()));
        }
        let mut url = gateway.url.clone();
        url.set_path(&format!("{}/function/{name}", gateway.url.path().trim_end_matches('/')));
        Ok(Self {
            provider,
            url,
            address,
            name: name.clone(),
            spellings: info.spellings.clone(),
            at_gateway: (info.name.clone(), info.namespace.clone()),
            replicas: u32::try_from(info.available_replicas).unwrap_or(u32::MAX),
            max_rate: info.max_rate,
            deadline: info.deadline,
        })
    }

    /// What is asked for.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Where that is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The function's canonical name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Requests a second that it is allowed to serve, by its label.
    pub fn max_rate(&self) -> Option<f64> {
        self.max_rate
    }

    /// Time within which its answers are of use, by its label.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Replicas when it was found.
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// What the gateway counted of it so far; nothing if its metrics are not read.
    ///
    /// # Errors
    /// If they cannot be.
    pub async fn counts(&self) -> Result<Option<FunctionCounts>, DiscoveryError> {
        let Some(counts) = self.provider.counts() else { return Ok(None) };
        Ok(Some(counts.await?.of(&self.spellings)))
    }

    /// Whether the gateway's metrics are read.
    pub fn has_counts(&self) -> bool {
        self.provider.counts().is_some()
    }

    /// Whether the gateway is on this machine, so that what is measured here is about it.
    pub fn is_here(&self) -> bool {
        let ip = self.address.ip();
        ip.is_loopback() || own_addresses().contains(&ip)
    }
}

async fn look_up(url: &Url) -> Result<SocketAddr, ProfileError> {
    let wrong = |cause: String| ProfileError::Client(format!("{url}: {cause}"));
    let host = url.host_str().ok_or_else(|| wrong("it names no host".to_owned()))?;
    let port = url.port_or_known_default().unwrap_or(80);
    // An IPv6 address stands in brackets there.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(|cause| wrong(cause.to_string()))?;
    found.next().ok_or_else(|| wrong("the name has no address".to_owned()))
}

/// The addresses of this machine; none if it does not tell.
fn own_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    let address = |interface: nix::ifaddrs::InterfaceAddress| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    interfaces.filter_map(address).collect()
}
