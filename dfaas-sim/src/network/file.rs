use std::collections::BTreeSet;
use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use super::{Graph, NetworkError, Position, RttMatrix};
use crate::input::{InputError, from_json};

/// A node of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name, no other node's.
    pub name: String,
    /// Its kind, as `light`; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// Its processor cores.
    pub cores: u32,
    /// Where it stands, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// Nodes, which of them are neighbours, and the round-trip times between all of them.
///
/// As a file it is JSON: `{"nodes": [{"name", "class", "cores", "position": {"x", "y"}}, ...], "links": [[0, 1], ...],
/// "rtt_s": [[0, 0.004, ...], ...]}`, where links and rows count nodes from 0 in the order of `nodes`, and class and
/// position may be absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Content", into = "Content")]
pub struct Network {
    nodes: Vec<Node>,
    graph: Graph,
    rtt: RttMatrix,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    nodes: Vec<Node>,
    links: Vec<(usize, usize)>,
    rtt_s: Vec<Vec<f64>>,
}

impl Network {
    /// Puts a network together.
    ///
    /// # Errors
    /// [`NetworkError`] if the parts are not for the same number of nodes, or two nodes have the same name.
    pub fn new(nodes: Vec<Node>, graph: Graph, rtt: RttMatrix) -> Result<Self, NetworkError> {
        for (what, other) in [("links", graph.len()), ("round-trip times", rtt.len())] {
            if other != nodes.len() {
                return Err(NetworkError::Sizes { nodes: nodes.len(), what, other });
            }
        }
        let mut names = BTreeSet::new();
        if let Some(node) = nodes.iter().find(|node| !names.insert(&node.name)) {
            return Err(NetworkError::Name { name: node.name.clone() });
        }
        Ok(Self { nodes, graph, rtt })
    }

    /// The nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Who is whose neighbour.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The round-trip times.
    pub fn rtt(&self) -> &RttMatrix {
        &self.rtt
    }

    /// Reads a network file; `file` is its name, for errors.
    ///
    /// # Errors
    /// [`InputError`] with the place of what is wrong.
    pub fn read(file: &str, reader: impl Read) -> Result<Self, InputError> {
        from_json(file, reader)
    }

    /// Writes a network file, one node and one row of times a line.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, mut to: impl Write) -> std::io::Result<()> {
        let content = Content::from(self.clone());
        let links: Vec<String> = content.links.iter().map(|(from, to)| format!("[{from}, {to}]")).collect();
        writeln!(to, "{{\"nodes\": [\n{}\n],", lines(&content.nodes)?)?;
        writeln!(to, "\"links\": [{}],", links.join(", "))?;
        writeln!(to, "\"rtt_s\": [\n{}\n]}}", lines(&content.rtt_s)?)
    }
}

/// The items of a JSON array, one a line.
fn lines(items: &[impl Serialize]) -> std::io::Result<String> {
    let items: Result<Vec<String>, _> = items.iter().map(serde_json::to_string).collect();
    Ok(items?.join(",\n"))
}

impl TryFrom<Content> for Network {
    type Error = NetworkError;

    fn try_from(content: Content) -> Result<Self, NetworkError> {
        let graph = Graph::from_links(content.nodes.len(), content.links)?;
        Self::new(content.nodes, graph, RttMatrix::from_rows(&content.rtt_s)?)
    }
}

impl From<Network> for Content {
    fn from(network: Network) -> Self {
        let rtt_s = network.rtt.rows().map(<[f64]>::to_vec).collect();
        Self { links: network.graph.links().collect(), rtt_s, nodes: network.nodes }
    }
}
