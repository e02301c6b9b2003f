//! Who can serve how much, and the static shares that follow.

use std::collections::BTreeMap;

use dfaas_tests::settings::{Agent, Function, Gateway, StaticPeer, node_name};

use super::options::Strategy;

/// The function that everybody calls.
pub const FUNCTION: &str = "figlet";

/// Invocations a second that a node can serve, as in the test of the CloudNet 2021 article; repeated for more nodes.
const CAPACITIES: [u32; 3] = [10, 16, 24];

/// The nodes' capacities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    capacities: Vec<u32>,
}

impl Plan {
    /// So many nodes.
    pub fn new(nodes: u8) -> Self {
        Self { capacities: CAPACITIES.iter().copied().cycle().take(nodes.into()).collect() }
    }

    /// Index (from 1), name and capacity of each node.
    pub fn nodes(&self) -> impl Iterator<Item = (u8, String, u32)> {
        (1..).zip(&self.capacities).map(|(index, &capacity)| (index, node_name(index), capacity))
    }

    /// Capacity of one node.
    pub fn capacity(&self, index: u8) -> u32 {
        self.capacities[usize::from(index) - 1]
    }

    /// Capacity of the federation.
    pub fn total(&self) -> u32 {
        self.capacities.iter().sum()
    }

    /// How the agent of node `index` is configured, the overlay apart.
    pub fn agent(&self, index: u8, strategy: Strategy, period: &str) -> Agent {
        let agent = Agent { strategy: strategy.to_string(), period: period.to_owned(), ..Agent::default() };
        if strategy == Strategy::External {
            return Agent { overrides: model_server(), ..agent };
        }
        if strategy.overlay() {
            return agent;
        }
        let peers = self.nodes().filter(|&(other, ..)| other != index);
        Agent {
            static_local: 100.0 * f64::from(self.capacity(index)) / f64::from(self.total()),
            peers: peers.map(|(other, _, capacity)| StaticPeer::node(other, capacity.into())).collect(),
            ..agent
        }
    }

    /// How the gateway of node `index` is configured: the function's label tells agents what the node can serve.
    pub fn gateway(&self, index: u8) -> Gateway {
        let capacity = f64::from(self.capacity(index));
        let function = Function::echo_at_most(capacity).labelled(capacity);
        Gateway { functions: BTreeMap::from([(FUNCTION.to_owned(), function)]), ..Gateway::default() }
    }
}

/// Where a node's model server is, inside the node.
pub const MODEL_PORT: u16 = 5000;

/// The part of a node's configuration that names its model server.
fn model_server() -> toml::Table {
    let external =
        toml::Table::from_iter([("url".to_owned(), format!("http://127.0.0.1:{MODEL_PORT}").into())]);
    let control = toml::Table::from_iter([("external".to_owned(), external.into())]);
    toml::Table::from_iter([("control".to_owned(), control.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_node_of_three_keeps_a_fifth_and_shares_the_rest_by_capacity() {
        let agent = Plan::new(3).agent(1, Strategy::Static, "1s");
        assert_eq!((agent.strategy.as_str(), agent.static_local), ("static", 20.0));
        assert_eq!(agent.peers.iter().map(|peer| peer.share).collect::<Vec<_>>(), [16.0, 24.0]);
    }

    #[test]
    fn nodes_that_find_each_other_are_told_nothing_of_their_peers() {
        let agent = Plan::new(3).agent(1, Strategy::Recalc, "2s");
        assert_eq!((agent.strategy.as_str(), agent.period.as_str(), agent.peers.len()), ("recalc", "2s", 0));
    }

    #[test]
    fn only_the_strategy_that_asks_a_model_server_is_told_of_one() {
        let url = &Plan::new(3).agent(1, Strategy::External, "1s").overrides["control"]["external"]["url"];
        assert_eq!(url.as_str(), Some("http://127.0.0.1:5000"));
        assert!(Plan::new(3).agent(1, Strategy::P2c, "1s").overrides.is_empty());
    }

    #[test]
    fn more_nodes_repeat_the_capacities_and_one_node_keeps_all() {
        assert_eq!(Plan::new(5).total(), 10 + 16 + 24 + 10 + 16);
        assert_eq!(Plan::new(1).agent(1, Strategy::Static, "1s").static_local, 100.0);
    }
}
