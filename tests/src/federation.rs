//! Nodes that find each other by themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::family::Family;
use crate::lab::Lab;
use crate::node::Node;
use crate::settings::{Agent, Gateway, Overlay, overlay_addresses_over};

/// How long nodes may take to find each other.
const FORMED: Duration = Duration::from_secs(30);

/// What the nodes of one federation are.
#[derive(Debug, Clone)]
pub struct Identities {
    by_index: BTreeMap<u8, String>,
}

impl Identities {
    /// The id of node `index`.
    pub fn id(&self, index: u8) -> &str {
        self.by_index.get(&index).map_or("", String::as_str)
    }

    /// How a node enters: it lets in all of these, and asks `entrance` first.
    pub fn overlay(&self, entrance: &[u8]) -> Overlay {
        self.overlay_over(Family::V4, entrance)
    }

    /// The same over what this family has between nodes.
    pub fn overlay_over(&self, family: Family, entrance: &[u8]) -> Overlay {
        Overlay {
            allow: self.by_index.values().cloned().collect(),
            bootstrap: entrance.iter().flat_map(|index| self.addresses_over(family, *index)).collect(),
            ..Overlay::default()
        }
    }

    /// Where node `index` is reached over IPv4, with its id.
    pub fn addresses(&self, index: u8) -> [String; 2] {
        self.addresses_over(Family::V4, index)
    }

    fn addresses_over(&self, family: Family, index: u8) -> [String; 2] {
        overlay_addresses_over(family, index).map(|address| format!("{address}/p2p/{}", self.id(index)))
    }
}

/// Nodes 1 to `count` with identities, all entering through node 1; nothing runs yet. `settings` gives the agent, whose
/// overlay is filled in where it is missing, and the gateway.
pub fn nodes(
    lab: &Lab,
    count: u8,
    binary: &Path,
    settings: impl Fn(u8, &Identities) -> (Agent, Gateway),
) -> Result<(Vec<Node>, Identities)> {
    // The files are written again once the identities are known.
    let blank = (Agent::default(), Gateway::default());
    let nodes = (1..=count).map(|index| Node::with_binary(lab, index, &blank.0, &blank.1, binary));
    let nodes = nodes.collect::<Result<Vec<Node>>>()?;
    let ids = (1..).zip(&nodes).map(|(index, node)| Ok((index, node.identify()?)));
    let identities = Identities { by_index: ids.collect::<Result<_>>()? };
    for (index, node) in (1..).zip(&nodes) {
        let (mut agent, gateway) = settings(index, &identities);
        let entrance: &[u8] = if index == 1 { &[] } else { &[1] };
        agent.overlay.get_or_insert_with(|| identities.overlay_over(agent.family, entrance));
        node.configure_agent(lab, &agent)?;
        node.configure_gateway(&gateway)?;
    }
    Ok((nodes, identities))
}

/// Waits until each of these nodes sends invocations to all others of them.
pub fn wait_formed(nodes: &[&Node]) -> Result<()> {
    let begun = Instant::now();
    loop {
        let mut missing = Vec::new();
        for node in nodes {
            let usable = node.usable_peers()?;
            let others = nodes.iter().map(|other| other.name()).filter(|name| *name != node.name());
            missing.extend(
                others.filter(|name| !usable.contains(name)).map(|name| format!("{} -> {name}", node.name())),
            );
        }
        if missing.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > FORMED {
            let states: Vec<String> = nodes.iter().map(|node| node.dump()).collect();
            bail!(
                "the nodes have not found each other after {FORMED:?}: {}\n{}",
                missing.join(", "),
                states.join("\n")
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
