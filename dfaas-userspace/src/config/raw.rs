//! The file as written: names, types and defaults, nothing checked beyond the type.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{DEFAULT_STRATEGY, Options};
use serde::Deserialize;

use crate::machine::DEFAULT_PATTERN;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Raw {
    pub node: Node,
    pub dataplane: DataPlane,
    pub gateway: Gateway,
    pub foreign_gateway: Vec<ForeignGateway>,
    pub overlay: Option<Overlay>,
    pub control: Control,
    pub functions: BTreeMap<String, Function>,
    pub static_peer: Vec<StaticPeer>,
    pub admin: Admin,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    pub name: Option<String>,
    pub region: String,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct DataPlane {
    pub interfaces: Option<Vec<String>>,
    pub listen: Option<Vec<String>>,
    pub users: Vec<String>,
    pub data_port: u16,
    pub snat_ports: String,
    pub mode: String,
    pub forwarded_for: bool,
    pub pin: String,
    pub max_flows: u32,
}

impl Default for DataPlane {
    fn default() -> Self {
        Self {
            interfaces: None,
            listen: None,
            users: vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
            data_port: 31601,
            snat_ports: "20000-29999".to_owned(),
            mode: "auto".to_owned(),
            forwarded_for: true,
            pin: "/sys/fs/bpf/dfaas".to_owned(),
            max_flows: 65536,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Gateway {
    pub url: String,
    pub address: String,
    pub user: String,
    pub password_file: String,
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    pub metrics: String,
    pub cgroup: String,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".to_owned(),
            address: String::new(),
            user: String::new(),
            password_file: String::new(),
            poll: Duration::from_secs(5),
            metrics: String::new(),
            cgroup: DEFAULT_PATTERN.to_owned(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ForeignGateway {
    pub name: Option<String>,
    pub url: Option<String>,
    pub address: String,
    pub user: String,
    pub password_file: String,
    pub metrics: String,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Overlay {
    pub listen: Vec<String>,
    pub identity: String,
    pub bootstrap: Vec<String>,
    pub bootstrap_file: String,
    pub psk_file: String,
    pub allow: Vec<String>,
    pub insecure_open: bool,
    pub mdns: bool,
    pub data_address: String,
    pub topology: String,
}

impl Default for Overlay {
    fn default() -> Self {
        Self {
            listen: vec!["/ip4/0.0.0.0/udp/31600/quic-v1".to_owned(), "/ip4/0.0.0.0/tcp/31600".to_owned()],
            identity: "/var/lib/dfaas/identity.pem".to_owned(),
            bootstrap: Vec::new(),
            bootstrap_file: String::new(),
            psk_file: String::new(),
            allow: Vec::new(),
            insecure_open: false,
            mdns: false,
            data_address: String::new(),
            topology: String::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Control {
    pub strategy: String,
    #[serde(with = "humantime_serde")]
    pub period: Duration,
    pub neighbours: u32,
    #[serde(rename = "static")]
    pub fixed: Fixed,
    pub recalc: Recalc,
    pub random: Random,
    pub latency_threshold: LatencyThreshold,
    pub nodemargin: NodeMargin,
    pub external: External,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            strategy: DEFAULT_STRATEGY.to_owned(),
            period: Duration::from_secs(1),
            neighbours: 16,
            fixed: Fixed::default(),
            recalc: Recalc::default(),
            random: Random::default(),
            latency_threshold: LatencyThreshold::default(),
            nodemargin: NodeMargin::default(),
            external: External::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Fixed {
    pub local: f64,
}

impl Default for Fixed {
    fn default() -> Self {
        Self { local: Options::default().static_local }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Recalc {
    pub split: String,
}

impl Default for Recalc {
    fn default() -> Self {
        Self { split: "overloaded".to_owned() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Random {
    pub reject: bool,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct LatencyThreshold {
    #[serde(with = "humantime_serde")]
    pub rtt: Duration,
}

impl Default for LatencyThreshold {
    fn default() -> Self {
        Self { rtt: Options::default().latency_threshold }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct NodeMargin {
    pub threshold: f64,
}

impl Default for NodeMargin {
    fn default() -> Self {
        Self { threshold: Options::default().nodemargin_threshold }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct External {
    pub url: String,
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for External {
    fn default() -> Self {
        Self { url: String::new(), timeout: Duration::from_millis(900) }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function {
    pub max_rate: Option<f64>,
    pub max_inflight: Option<u32>,
    #[serde(with = "humantime_serde")]
    pub timeout: Option<Duration>,
    pub local_only: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct StaticPeer {
    pub id: Option<String>,
    pub name: Option<String>,
    pub address: Option<String>,
    pub data_port: u16,
    pub share: f64,
}

impl Default for StaticPeer {
    fn default() -> Self {
        Self { id: None, name: None, address: None, data_port: DataPlane::default().data_port, share: 1.0 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Admin {
    pub socket: String,
    pub listen: String,
    pub token_file: String,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            socket: "/run/dfaas/agent.sock".to_owned(),
            listen: "127.0.0.1:9091".to_owned(),
            token_file: String::new(),
        }
    }
}
