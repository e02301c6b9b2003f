use super::window::{Cost, Function, Node, Window};

impl Window {
    /// All nodes as one, without distances: serves at least as much as any links between them allow, and is quick to solve
    /// however many nodes there are. It is the bound of [`Self::fully_linked`] itself where functions cost the same at all
    /// nodes that have them, all nodes have all functions, and no deadline keeps a node out.
    pub fn pooled(&self) -> Self {
        let cheapest = |function: usize| {
            let costs = self.costs.iter().filter_map(|of| of.get(function).copied().flatten());
            costs.reduce(|a, b| Cost {
                cpu: a.cpu.min(b.cpu),
                hold: a.hold.min(b.hold),
                most: a.most + b.most,
            })
        };
        let asked = |function: usize| self.demand.iter().filter_map(|of| of.get(function)).sum();
        let functions = 0..self.functions.len();
        let whole = Node {
            cores: self.nodes.iter().map(|node| node.cores * node.usable).sum(),
            usable: 1.0,
            memory: self.nodes.iter().map(|node| node.memory).sum(),
        };
        Self {
            nodes: vec![whole],
            functions: self.functions.iter().map(|of| Function { ..*of }).collect(),
            costs: vec![functions.clone().map(cheapest).collect()],
            demand: vec![functions.map(asked).collect()],
            links: Vec::new(),
        }
    }
}
