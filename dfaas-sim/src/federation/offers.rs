use super::Service;
use crate::scenario::{Measured, Nodes};

/// What a node offers of a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Most invocations a second that it serves; `None`: no limit.
    pub max_rate: Option<f64>,
}

/// What each node offers, node by node: all functions with their own limits, or what was measured. `None`: the node does
/// not have the function.
pub(super) fn offers(nodes: &Nodes, functions: &[Service], measured: &[&Measured]) -> Vec<Option<Offer>> {
    let alike = functions.iter().map(|of| Some(Offer { max_rate: of.max_rate }));
    if measured.is_empty() {
        return std::iter::repeat_n(alike, nodes.count).flatten().collect();
    }
    let offer = |run: &Measured, function: &Service| {
        let here = run.functions.iter().find(|of| of.name == function.name && of.max_rate > 0.0)?;
        Some(Offer { max_rate: Some(here.max_rate) })
    };
    measured.iter().flat_map(|run| functions.iter().map(|of| offer(run, of))).collect()
}
