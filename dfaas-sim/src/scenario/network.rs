use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What lies between nodes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Nodes lie at random on a square; the round-trip time is in proportion to the distance, and this from corner to
    /// corner.
    #[serde(with = "humantime_serde")]
    pub rtt: Duration,
    /// Round-trip times in milliseconds, from each node to each, in place of the square.
    pub rtts_ms: Vec<Vec<f64>>,
    /// Bits a second between two nodes; 0: payloads take no time.
    pub bandwidth: f64,
    /// The part of the messages between agents that is lost.
    pub loss: f64,
    /// The part of the messages between agents that arrives twice.
    pub duplicated: f64,
    /// A message between agents takes up to this longer, by chance, so that one can overtake another.
    #[serde(with = "humantime_serde")]
    pub jitter: Duration,
    /// Each node chooses so many of the nearest as neighbours; links are mutual.
    pub near: usize,
    /// And so many at random.
    pub random: usize,
    /// Each pair are neighbours with this probability, and each node first of all with one after it, so that all are joined:
    /// the graph of the original's simulator, in place of the nearest and random ones.
    pub probability: Option<f64>,
    /// Every node is every other's neighbour.
    pub everybody: bool,
    /// Pairs of neighbours, in place of those chosen.
    pub links: Vec<(usize, usize)>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            rtt: Duration::ZERO,
            rtts_ms: Vec::new(),
            bandwidth: 0.0,
            loss: 0.0,
            duplicated: 0.0,
            jitter: Duration::ZERO,
            near: 12,
            random: 4,
            probability: None,
            everybody: false,
            links: Vec::new(),
        }
    }
}
