//! What a node tells: its metrics, its health, its commands.

use std::collections::BTreeMap;

use dfaas_tests::{Node, http};
use serde_json::Value;

use crate::federation::PATIENCE;

/// The samples of `/metrics` by name with labels, as they are written there.
#[derive(Debug, Clone)]
pub struct Metrics(pub BTreeMap<String, f64>);

impl Metrics {
    /// Reads them from a running agent.
    pub fn of(node: &Node) -> Self {
        let answer = http::get(node.namespace(), node.admin_address(), "/metrics", PATIENCE).unwrap();
        assert_eq!(answer.status(), 200);
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(text.ends_with("# EOF\n"), "the whole text: {text}");
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        Self(samples.collect())
    }

    /// The sample of this name with labels; 0 if it is not there, as a counter that never counted.
    pub fn get(&self, sample: &str) -> f64 {
        self.0.get(sample).copied().unwrap_or(0.0)
    }

    /// Invocations of a function by origin and backend.
    pub fn invocations(&self, function: &str, origin: &str, backend: &str) -> f64 {
        let labels = format!("function=\"{function}\",origin=\"{origin}\",backend=\"{backend}\"");
        self.get(&format!("dfaas_invocations_total{{{labels}}}"))
    }

    /// Connections of a function that are bound to a backend.
    pub fn inflight(&self, function: &str, backend: &str) -> f64 {
        self.get(&format!("dfaas_inflight{{function=\"{function}\",backend=\"{backend}\"}}"))
    }

    /// The samples of a family.
    pub fn family<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let of_family = move |sample: &str| sample.split('{').next() == Some(name);
        self.0
            .iter()
            .filter(move |(sample, _)| of_family(sample))
            .map(|(sample, value)| (sample.as_str(), *value))
    }

    /// The sum of a family.
    pub fn sum(&self, name: &str) -> f64 {
        self.family(name).map(|(_, value)| value).sum()
    }
}

/// Status and body of `/healthz`.
pub fn health(node: &Node) -> (u16, Value) {
    let answer = http::get(node.namespace(), node.admin_address(), "/healthz", PATIENCE).unwrap();
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

/// Whether the health of one thing is well, and why.
pub fn check(health: &Value, name: &str) -> (bool, String) {
    let check = health["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
    (check["ok"].as_bool().unwrap(), check["reason"].as_str().unwrap().to_owned())
}

/// What a command of `dfaas` prints for people; it must succeed.
pub fn text(node: &Node, command: &str) -> String {
    let socket = node.admin_socket();
    let (status, text) = node.dfaas(&[command, "--socket", &socket.to_string_lossy()], PATIENCE).unwrap();
    assert!(status.success(), "{command}: {text}");
    text
}

/// What it prints as JSON.
pub fn json(node: &Node, command: &str) -> Value {
    let socket = node.admin_socket();
    let (status, text) =
        node.dfaas(&[command, "--json", "--socket", &socket.to_string_lossy()], PATIENCE).unwrap();
    assert!(status.success(), "{command}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"))
}
