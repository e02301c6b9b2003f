use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use libp2p::pnet::PreSharedKey;
use libp2p::{Multiaddr, PeerId};

use super::topology::Topology;
use crate::dataplane::Settings;
use crate::machine::Pattern;

/// A checked agent configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from; errors that show only at the start name it.
    pub file: PathBuf,
    /// Name of this node.
    pub name: String,
    /// Region of this node; may be empty.
    pub region: String,
    /// What the data plane needs.
    pub dataplane: Settings,
    /// The admin API of the node's own gateway.
    pub gateway: Gateway,
    /// Further gateways whose functions are served at this node.
    pub foreign_gateways: Vec<ForeignGateway>,
    /// The control loop.
    pub control: Control,
    /// Overrides by function name, in any spelling.
    pub functions: BTreeMap<String, FunctionOverride>,
    /// Peers of a federation without an overlay.
    pub static_peers: Vec<StaticPeer>,
    /// The overlay; `None`: there is none, and peers are those of the file.
    pub overlay: Option<Overlay>,
    /// What the file says of nodes of the overlay.
    pub overlay_peers: BTreeMap<PeerId, OverlayPeer>,
    /// Where the agent answers operators.
    pub admin: Admin,
    /// Keys that the file sets and this version does not use yet.
    pub without_effect: Vec<String>,
}

/// The admin API of an OpenFaaS gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Base address; `/system/functions` comes after its path.
    pub url: reqwest::Url,
    /// User and password of basic auth.
    pub credentials: Option<(String, Secret)>,
    /// Time between reads of the list of functions.
    pub poll: Duration,
    /// Where its metrics are; `None`: they are not read.
    pub metrics: Option<reqwest::Url>,
    /// Where the cgroups of its functions are on this machine; `None`: their processor time is not measured.
    pub cgroup: Option<Pattern>,
}

/// A gateway beside the node's own.
#[derive(Debug, Clone)]
pub struct ForeignGateway {
    /// Its name.
    pub name: String,
    /// Where it takes invocations.
    pub address: SocketAddr,
    /// Its admin API, asked as often as that of the own gateway.
    pub api: Gateway,
}

/// The control loop.
#[derive(Debug, Clone)]
pub struct Control {
    /// Name of the strategy; one that exists.
    pub strategy: String,
    /// What strategies are told, the period among it.
    pub options: dfaas_control::Options,
    /// The model server of the strategy `external`; `None` where no other strategy needs one.
    pub external: Option<External>,
}

/// A model server that decides how functions are divided.
#[derive(Debug, Clone, PartialEq)]
pub struct External {
    /// Its address; `/action` comes after its path.
    pub url: reqwest::Url,
    /// Longest wait for its answer.
    pub timeout: Duration,
}

/// What the configuration says of one function; `None` leaves the label or the default in force.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FunctionOverride {
    /// Most invocations a second served here; 0 lifts the label's limit.
    pub max_rate: Option<f64>,
    /// Most connections bound to the local gateway at one time; 0: no limit.
    pub max_inflight: Option<u32>,
    /// Time within which an answer is of use.
    pub timeout: Option<Duration>,
    /// Whether invocations must stay here.
    pub local_only: Option<bool>,
}

/// A peer named in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticPeer {
    /// Its name.
    pub name: String,
    /// Address of its data port.
    pub address: IpAddr,
    /// Its data port.
    pub data_port: u16,
    /// Its weight among the peers.
    pub share: f64,
}

/// How this node takes part in the overlay.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// Where to listen; not empty.
    pub listen: Vec<Multiaddr>,
    /// File of this node's identity.
    pub identity: PathBuf,
    /// Nodes to begin with, from the list and its file; this node may be among them.
    pub bootstrap: Vec<(PeerId, Multiaddr)>,
    /// File of the swarm key.
    pub psk_file: Option<PathBuf>,
    /// The swarm key, which every node of the federation has. Its `Debug` output is a fingerprint.
    pub psk: Option<PreSharedKey>,
    /// Nodes of the federation; empty: whoever comes.
    pub allow: BTreeSet<PeerId>,
    /// Whether to look for nodes by multicast on the local network.
    pub mdns: bool,
    /// Nodes with which to exchange beats, as far as it is for this node to choose.
    pub neighbours: usize,
    /// Nodes that are always, or never, among them.
    pub topology: Topology,
}

/// What the file says of one node of the overlay.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlayPeer {
    /// Its weight among the peers.
    pub share: f64,
    /// Where its data port is believed to be although it is not at the address of its connection.
    pub data: Option<SocketAddr>,
}

/// Where the agent answers operators.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Unix socket of the `dfaas` commands.
    pub socket: PathBuf,
    /// TCP address of metrics and health; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Bearer token asked for at `listen`.
    pub token: Option<Secret>,
}

/// A password or token; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text`, which must not be printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same, in a time that does not tell where they differ.
    pub fn matches(&self, other: &str) -> bool {
        self.0.len() == other.len()
            && self.0.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_and_prints_nothing() {
        let secret = Secret::new("pa55");
        assert!(secret.matches("pa55"));
        assert!(!secret.matches("pa56") && !secret.matches("pa5") && !secret.matches(""));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
