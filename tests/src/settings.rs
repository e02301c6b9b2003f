//! The configuration files of one node: `dfaas agent` and `dfaas gateway`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::family::Family;
use crate::lab::Lab;
use crate::overlay_settings::OverlayTable;
pub use crate::overlay_settings::{OVERLAY_PORT, Overlay, overlay_addresses, overlay_addresses_over};

/// Port at which users call their node.
pub const INVOCATION_PORT: u16 = 8080;

/// Port where forwarded invocations arrive.
pub const DATA_PORT: u16 = 31601;

/// Port of the agent's admin service, on loopback of the node's namespace.
pub const ADMIN_PORT: u16 = 9091;

/// Port of the gateway's metrics, on loopback of the node's namespace.
pub const GATEWAY_METRICS_PORT: u16 = 8082;

/// Name of node `index`, from 1: in the agent's configuration, in the gateway's answers, in its peers' metrics.
pub fn node_name(index: u8) -> String {
    format!("node-{index}")
}

/// A function of the gateway for trials.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Function {
    /// `echo`, `sleep`, `burn` or `whoami`.
    pub kind: String,
    /// How long `sleep` sleeps and `burn` computes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Most invocations a second, with a burst of one second's worth; then 429.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Most invocations at one time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Labels as OpenFaaS has them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Function {
    /// A function that answers with the body it was sent.
    pub fn echo() -> Self {
        Self { kind: "echo".to_owned(), ..Self::default() }
    }

    /// A function that answers with the body it was sent, so often a second.
    pub fn echo_at_most(rate: f64) -> Self {
        Self { rate: Some(rate), ..Self::echo() }
    }

    /// The same, with the label that tells agents so.
    pub fn labelled(mut self, rate: f64) -> Self {
        self.labels.insert("dfaas.maxrate".to_owned(), rate.to_string());
        self
    }
}

/// A peer that is known from configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StaticPeer {
    /// Its name.
    pub name: String,
    /// Its address between the nodes.
    pub address: IpAddr,
    /// Its data port.
    pub data_port: u16,
    /// Its part of what is not served locally, in proportion to the other peers' shares.
    pub share: f64,
}

impl StaticPeer {
    /// Node `index` of the same lab, over IPv4.
    pub fn node(index: u8, share: f64) -> Self {
        Self::node_over(Family::V4, index, share)
    }

    /// Node `index` of the same lab, over what this family has between nodes.
    pub fn node_over(family: Family, index: u8, share: f64) -> Self {
        let address = family.peer_address(index);
        Self { name: node_name(index), address, data_port: DATA_PORT, share }
    }
}

/// How a node's agent is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Where users call, and how nodes of the overlay talk; the peers have addresses of their own.
    pub family: Family,
    /// Name of the strategy.
    pub strategy: String,
    /// Time between two decisions, as `1s`.
    pub period: String,
    /// Percent of the invocations that `static` serves locally.
    pub static_local: f64,
    /// The peers.
    pub peers: Vec<StaticPeer>,
    /// What it logs, as `--log` takes it; none: the default.
    pub log: Option<String>,
    /// Its part in the overlay; none: it knows static peers only.
    pub overlay: Option<Overlay>,
    /// Further keys, merged over the ones above table by table.
    pub overrides: toml::Table,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            family: Family::default(),
            strategy: "static".to_owned(),
            period: "1s".to_owned(),
            static_local: 100.0,
            peers: Vec::new(),
            log: None,
            overlay: None,
            overrides: toml::Table::new(),
        }
    }
}

/// How a node's gateway is configured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gateway {
    /// Where users call, and whence invocations of other nodes come; see [`Family::gateway_addresses`].
    pub family: Family,
    /// Listens with MPTCP, as Go programs do.
    pub mptcp: bool,
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Further keys, merged over the ones above table by table.
    pub overrides: toml::Table,
}

impl Agent {
    /// The file for node `index` of the lab.
    pub(crate) fn render(&self, lab: &Lab, index: u8, socket: &Path, identity: &Path) -> Result<String> {
        let listen = self.family.node_addresses(index);
        let url = format!("http://{}", self.family.node_address(index));
        let pin = lab.pin(index);
        let file = AgentFile {
            node: NodeTable { name: node_name(index) },
            dataplane: DataPlaneTable {
                interfaces: &["users0", "peers0"],
                listen,
                data_port: DATA_PORT,
                pin: &pin,
            },
            gateway: GatewayTable { url, poll: "1s" },
            control: ControlTable {
                strategy: &self.strategy,
                period: &self.period,
                r#static: StaticTable { local: self.static_local },
            },
            admin: AdminTable { socket, listen: format!("127.0.0.1:{ADMIN_PORT}") },
            overlay: self
                .overlay
                .as_ref()
                .map(|overlay| OverlayTable::new(overlay, self.family, index, identity)),
            static_peer: &self.peers,
        };
        render(&file, &self.overrides)
    }
}

impl Gateway {
    /// The file for node `index` of the lab.
    pub(crate) fn render(&self, index: u8) -> Result<String> {
        let file = GatewayFile {
            name: node_name(index),
            listen: self.family.gateway_addresses(index),
            metrics_listen: format!("127.0.0.1:{GATEWAY_METRICS_PORT}"),
            mptcp: self.mptcp,
            functions: &self.functions,
        };
        render(&file, &self.overrides)
    }
}

#[derive(Serialize)]
struct AgentFile<'a> {
    node: NodeTable,
    dataplane: DataPlaneTable<'a>,
    gateway: GatewayTable,
    control: ControlTable<'a>,
    admin: AdminTable<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay: Option<OverlayTable<'a>>,
    static_peer: &'a [StaticPeer],
}

#[derive(Serialize)]
struct NodeTable {
    name: String,
}

#[derive(Serialize)]
struct DataPlaneTable<'a> {
    interfaces: &'a [&'a str],
    listen: Vec<SocketAddr>,
    data_port: u16,
    pin: &'a Path,
}

#[derive(Serialize)]
struct GatewayTable {
    url: String,
    poll: &'static str,
}

#[derive(Serialize)]
struct ControlTable<'a> {
    strategy: &'a str,
    period: &'a str,
    r#static: StaticTable,
}

#[derive(Serialize)]
struct StaticTable {
    local: f64,
}

#[derive(Serialize)]
struct AdminTable<'a> {
    socket: &'a Path,
    listen: String,
}

#[derive(Serialize)]
struct GatewayFile<'a> {
    name: String,
    listen: Vec<SocketAddr>,
    metrics_listen: String,
    mptcp: bool,
    functions: &'a BTreeMap<String, Function>,
}

fn render(file: &impl Serialize, overrides: &toml::Table) -> Result<String> {
    let mut table = toml::Table::try_from(file).context("cannot write the configuration as TOML")?;
    merge(&mut table, overrides);
    toml::to_string(&table).context("cannot write the configuration as TOML")
}

/// Puts `over` over `base`: tables are merged, everything else is replaced.
fn merge(base: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_file_names_node_addresses_and_functions() {
        let functions = [("figlet".to_owned(), Function::echo_at_most(10.0))].into();
        let text = Gateway { functions, ..Gateway::default() }.render(2).unwrap();
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["name"].as_str(), Some("node-2"));
        assert_eq!(table["listen"][0].as_str(), Some("10.77.2.1:8080"));
        assert_eq!(table["functions"]["figlet"]["rate"].as_float(), Some(10.0));
        assert!(table["functions"]["figlet"].get("ms").is_none(), "what is not set is not written");
    }

    #[test]
    fn overrides_replace_single_keys_and_keep_their_neighbours() {
        let mut base: toml::Table = "[a]\nx = 1\ny = 2\n[b]\nz = [1]".parse().unwrap();
        merge(&mut base, &"[a]\ny = 3\n[b]\nz = [2, 3]\n[c]\nw = 4".parse().unwrap());
        assert_eq!(base, "[a]\nx = 1\ny = 3\n[b]\nz = [2, 3]\n[c]\nw = 4".parse().unwrap());
    }
}
