//! Windows to solve.

use dfaas_sim::bound::{Cost, Function, Link, Node, Window};
use proptest::prelude::*;

/// A node with so many processors, all of which may be used, and no limit to memory.
pub fn node(cores: f64) -> Node {
    Node { cores, usable: 1.0, memory: f64::INFINITY }
}

/// A function whose invocations take so many seconds of a processor and no memory, with a deadline of a second.
pub fn function(work: f64) -> Function {
    Function { work, value: 1.0, concurrency: 1.0, memory: 0.0, payload: 0.0, deadline: 1.0 }
}

/// Links of so many seconds in both directions.
pub fn joined(pairs: &[(usize, usize)], delay: f64) -> Vec<Link> {
    let both = pairs.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
    both.map(|(from, to)| Link { from, to, delay, bandwidth: None }).collect()
}

/// Nodes that all have all functions, each at its own work.
pub fn window(nodes: Vec<Node>, functions: Vec<Function>, demand: &[&[f64]], links: Vec<Link>) -> Window {
    let costs =
        functions.iter().map(|of| Some(Cost { cpu: of.work, hold: of.work, most: f64::INFINITY })).collect();
    Window {
        costs: vec![costs; nodes.len()],
        demand: demand.iter().map(|of| of.to_vec()).collect(),
        nodes,
        functions,
        links,
    }
}

/// The nodes of the CloudNet 2021 article, 10, 16 and 24 invocations a second, 2 ms from each other; all load at the first.
pub fn cloudnet(rate: f64) -> Window {
    let nodes = [10.0, 16.0, 24.0].map(|rate| node(rate * 0.1));
    let links = joined(&[(0, 1), (0, 2), (1, 2)], 0.002);
    window(nodes.to_vec(), vec![function(0.1)], &[&[rate], &[0.0], &[0.0]], links)
}

/// Any window of up to five nodes and three functions, with every limit there is.
pub fn any() -> impl Strategy<Value = Window> {
    (1_usize..=5, 1_usize..=3).prop_flat_map(|(nodes, functions)| {
        let node = (0.1..8.0, 0.5..1.0, prop_oneof![Just(f64::INFINITY), 1e7..2e9]);
        let node = node.prop_map(|(cores, usable, memory)| Node { cores, usable, memory });
        let function = (0.005..0.3, 0.1..5.0, 1_u8..8, 1e6..3e8, 1e2..1e6, 0.1..2.0);
        let function = function.prop_map(|(work, value, concurrency, memory, payload, deadline)| Function {
            work,
            value,
            concurrency: f64::from(concurrency),
            memory,
            payload,
            deadline,
        });
        let most = prop_oneof![3 => Just(f64::INFINITY), 1 => 0.0..100.0];
        let cost = proptest::option::weighted(0.8, (0.5..2.0, 1.0..4.0, most));
        let demand = prop_oneof![1 => Just(0.0), 4 => 0.0..200.0];
        let link = (0.001..0.2, proptest::option::of(1e4..1e8), proptest::bool::weighted(0.7));
        (
            proptest::collection::vec(node, nodes),
            proptest::collection::vec(function, functions),
            proptest::collection::vec(proptest::collection::vec(cost, functions), nodes),
            proptest::collection::vec(proptest::collection::vec(demand, functions), nodes),
            proptest::collection::vec(link, nodes * nodes),
        )
            .prop_map(move |(nodes, functions, factors, demand, links)| {
                assemble(nodes, functions, &factors, demand, &links)
            })
    })
}

/// By how much slower a node is, how much longer than that an invocation is held there, and the limit of a function.
type Factors = (f64, f64, f64);

fn assemble(
    nodes: Vec<Node>,
    functions: Vec<Function>,
    factors: &[Vec<Option<Factors>>],
    demand: Vec<Vec<f64>>,
    links: &[(f64, Option<f64>, bool)],
) -> Window {
    let n = nodes.len();
    let cost = |(of, factor): (&Function, &Option<Factors>)| {
        factor.map(|(slow, wait, most)| Cost { cpu: of.work * slow, hold: of.work * slow * wait, most })
    };
    let costs = factors.iter().map(|row| functions.iter().zip(row).map(cost).collect()).collect();
    let link = |(index, (delay, bandwidth, there)): (usize, &(f64, Option<f64>, bool))| {
        let (from, to) = (index / n, index % n);
        (*there && from != to).then_some(Link { from, to, delay: *delay, bandwidth: *bandwidth })
    };
    let links = links.iter().enumerate().filter_map(link).collect();
    Window { nodes, functions, costs, demand, links }
}
