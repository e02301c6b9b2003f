//! The gateway's configuration file.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use axum::http::HeaderValue;
use serde::{Deserialize, Deserializer};

use super::behaviour::{Behaviour, Kind};
use super::function::{Function, Limits};
use super::name::is_label;
use super::wire::{Deployment, StringMap};

/// What is wrong with a configuration file. Displays as one line: file, line or key, reason.
#[derive(Debug, thiserror::Error)]
#[error("{}{place}: {reason}", file.display())]
pub struct ConfigError {
    file: PathBuf,
    place: Place,
    reason: String,
}

/// Where in the file the error is.
#[derive(Debug, PartialEq)]
enum Place {
    File,
    Line(usize, Option<String>),
    Key(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line, None) => write!(f, ":{line}"),
            Self::Line(line, Some(key)) => write!(f, ":{line}: {key}"),
            Self::Key(key) => write!(f, ": {key}"),
        }
    }
}

/// The password of the admin routes. Its debug form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// Everything that `dfaas gateway` is told. [`Default`] gives what an empty file gives.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Sent as `DFaaS-Node` with every answer. Default: the host name.
    pub name: String,
    /// Where invocations and `/system` are served. An IPv6 address takes no IPv4 connections.
    pub listen: Vec<SocketAddr>,
    /// Where metrics are served; `None` (written `""`): nowhere.
    #[serde(deserialize_with = "address_or_empty")]
    pub metrics_listen: Option<SocketAddr>,
    /// User name of the admin routes.
    pub user: String,
    /// File with the password of the admin routes; empty: none, and then nothing can be changed over HTTP.
    pub password_file: PathBuf,
    /// What that file holds; [`GatewayConfig::from_file`] reads it.
    #[serde(skip)]
    pub password: Option<Password>,
    /// Whether invocation sockets offer Multipath TCP, as those of Go programs do.
    pub mptcp: bool,
    /// The namespace of names without one.
    pub namespace: String,
    /// The functions at start, by name.
    pub functions: BTreeMap<String, FunctionConfig>,
}

/// One function in the configuration file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunctionConfig {
    /// What the function does.
    pub kind: Kind,
    /// Milliseconds of waiting or of CPU time, for the kinds that take time.
    pub ms: u64,
    /// Invocations at one time; the rest wait in order of arrival. 0: no limit.
    pub concurrency: usize,
    /// Invocations a second; the rest are answered 429. 0: no limit.
    pub rate: f64,
    /// Labels, which the agent reads.
    pub labels: StringMap,
    /// Annotations.
    pub annotations: StringMap,
    /// Replicas reported; 0: invocations are answered 503.
    pub replicas: u32,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            name: host_name(),
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))],
            metrics_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8082))),
            user: "admin".into(),
            password_file: PathBuf::new(),
            password: None,
            mptcp: false,
            namespace: "openfaas-fn".into(),
            functions: BTreeMap::new(),
        }
    }
}

impl Default for FunctionConfig {
    fn default() -> Self {
        Self {
            kind: Kind::Echo,
            ms: 0,
            concurrency: 0,
            rate: 0.0,
            labels: StringMap::new(),
            annotations: StringMap::new(),
            replicas: 1,
        }
    }
}

impl GatewayConfig {
    /// Reads and checks a configuration file, and the password file that it names.
    ///
    /// # Errors
    /// The first thing that is wrong, as one line for the user.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let error = |(place, reason)| ConfigError { file: path.to_owned(), place, reason };
        let text = std::fs::read_to_string(path).map_err(|cause| error((Place::File, cause.to_string())))?;
        let mut config = Self::parse(&text).map_err(error)?;
        if !config.password_file.as_os_str().is_empty() {
            let password = read_password(&config.password_file)
                .map_err(|reason| error((Place::Key("password_file".into()), reason)))?;
            config.password = Some(password);
        }
        Ok(config)
    }

    /// Turns Multipath TCP on or off, as the command line asks.
    pub fn set_mptcp(&mut self, on: bool) {
        self.mptcp = on;
    }

    fn parse(text: &str) -> Result<Self, (Place, String)> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(Place::File, |span| place_of(text, span.start));
            (place, error.message().trim().replace('\n', "; "))
        })?;
        config.check().map_err(|(key, reason)| (Place::Key(key), reason))?;
        Ok(config)
    }

    /// Checks what the file's syntax does not.
    ///
    /// # Errors
    /// The key and the reason.
    pub fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, reason: &str| Err((key.to_owned(), reason.to_owned()));
        if self.name.trim().is_empty() || HeaderValue::from_str(&self.name).is_err() {
            return wrong("name", "must be printable text, since it is sent in a header");
        }
        if self.listen.is_empty() {
            return wrong("listen", "needs at least one address, \"127.0.0.1:8080\" for example");
        }
        if self.user.is_empty() || self.user.contains(':') {
            return wrong("user", "must not be empty nor contain a colon");
        }
        if !is_label(&self.namespace) {
            return wrong("namespace", "must be 1 to 63 letters, digits, hyphens or underscores");
        }
        for (name, function) in &self.functions {
            let key = format!("functions.{name}");
            if !is_label(name) {
                return wrong(&key, "the name must be 1 to 63 letters, digits, hyphens or underscores");
            }
            function.check().map_err(|(field, reason)| (format!("{key}.{field}"), reason))?;
        }
        Ok(())
    }
}

impl FunctionConfig {
    fn check(&self) -> Result<(), (&'static str, String)> {
        Behaviour::new(self.kind, self.ms).map_err(|reason| ("ms", reason))?;
        Limits::new(0, self.rate).map_err(|reason| ("rate", reason))?;
        Limits::new(self.concurrency, 0.0).map_err(|reason| ("concurrency", reason))?;
        Ok(())
    }

    /// The function as a client would deploy it.
    ///
    /// # Errors
    /// A sentence for the user, for what [`GatewayConfig::check`] refuses too.
    pub(super) fn deploy(&self, now: SystemTime) -> Result<Function, String> {
        let mut env_vars = StringMap::from([("DFAAS_KIND".to_owned(), self.kind.to_string())]);
        let numbers = [
            ("DFAAS_MS", self.ms.to_string(), self.ms > 0),
            ("DFAAS_CONCURRENCY", self.concurrency.to_string(), self.concurrency > 0),
            ("DFAAS_RATE", self.rate.to_string(), self.rate != 0.0),
        ];
        for (key, value, _) in numbers.into_iter().filter(|(_, _, wanted)| *wanted) {
            env_vars.insert(key.to_owned(), value);
        }
        let deployment = Deployment {
            image: format!("dfaas/{}", self.kind),
            env_vars: Some(env_vars),
            labels: (!self.labels.is_empty()).then(|| self.labels.clone()),
            annotations: (!self.annotations.is_empty()).then(|| self.annotations.clone()),
            ..Deployment::default()
        };
        Function::new(deployment, self.replicas, now)
    }
}

/// The line of a byte, counted from 1, and the key on that line where there is one.
fn place_of(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let key = content.split_once('=').map(|(key, _)| key.trim().to_owned());
    Place::Line(line, key.filter(|key| !key.is_empty() && !key.starts_with('#')))
}

fn address_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(format!("`{text}` is no address with a port, nor \"\" for no metrics"))
    })
}

fn read_password(file: &Path) -> Result<Password, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(format!("{}: the file is empty; write the password into it", file.display()));
    }
    Ok(Password(password.to_owned()))
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
