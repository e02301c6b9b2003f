//! The part of an agent's configuration that is about the overlay.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::family::Family;

/// Port of the overlay.
pub const OVERLAY_PORT: u16 = 31600;

/// How an agent takes part in the overlay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay {
    /// Ids of the nodes that are let in; empty: everybody, which must be said to the agent.
    pub allow: Vec<String>,
    /// Where it looks for others first.
    pub bootstrap: Vec<String>,
    /// File with the key of the swarm.
    pub psk_file: Option<PathBuf>,
    /// Whether it looks for others by multicast.
    pub mdns: bool,
}

#[derive(Serialize)]
pub(crate) struct OverlayTable<'a> {
    listen: [String; 2],
    identity: &'a Path,
    allow: &'a [String],
    bootstrap: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    psk_file: Option<&'a Path>,
    insecure_open: bool,
    mdns: bool,
}

impl<'a> OverlayTable<'a> {
    pub(crate) fn new(overlay: &'a Overlay, family: Family, index: u8, identity: &'a Path) -> Self {
        Self {
            listen: overlay_addresses_over(family, index),
            identity,
            allow: &overlay.allow,
            bootstrap: &overlay.bootstrap,
            psk_file: overlay.psk_file.as_deref(),
            insecure_open: overlay.allow.is_empty() && overlay.psk_file.is_none(),
            mdns: overlay.mdns,
        }
    }
}

/// Where the overlay of node `index` listens: by QUIC and by TCP, on the network between the nodes.
pub fn overlay_addresses(index: u8) -> [String; 2] {
    overlay_addresses_over(Family::V4, index)
}

/// The same over what this family has between nodes.
pub fn overlay_addresses_over(family: Family, index: u8) -> [String; 2] {
    let ip = family.peer_address(index);
    let at = if ip.is_ipv6() { format!("/ip6/{ip}") } else { format!("/ip4/{ip}") };
    [format!("{at}/udp/{OVERLAY_PORT}/quic-v1"), format!("{at}/tcp/{OVERLAY_PORT}")]
}
