use super::routes::Routes;
use super::window::{Goal, Link, Window};

/// Who serves what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Division {
    /// What is served of each function from each node at each node, by node that users came to, function, home first.
    pub flows: Vec<Flow>,
}

/// Invocations of one function that take the same way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// The node that users came to.
    pub from: usize,
    /// The node that serves.
    pub to: usize,
    /// The function.
    pub function: usize,
    /// Invocations a second.
    pub rate: f64,
}

impl Division {
    /// Of parts of what routes could serve.
    pub(super) fn new(routes: &Routes, y: &[f64]) -> Self {
        let used = routes.routes.iter().zip(y).filter(|(_, y)| **y > 0.0);
        let flow = |(route, y): (&super::routes::Route, &f64)| Flow {
            from: route.from,
            to: route.to,
            function: route.function,
            rate: route.most * y,
        };
        Self { flows: used.map(flow).collect() }
    }

    /// What is served by the goal's measure, a second.
    pub fn served(&self, window: &Window, goal: Goal) -> f64 {
        self.flows.iter().map(|flow| flow.rate * goal.weight(&window.functions[flow.function])).sum()
    }

    /// Invocations a second of a function that are served at a node, wherever users came to.
    pub fn rate_at(&self, node: usize, function: usize) -> f64 {
        self.sum(|flow| flow.to == node && flow.function == function)
    }

    /// Part of what users asked of a function at a node that is served, here or elsewhere; 1 if nobody asked.
    pub fn share_served(&self, window: &Window, node: usize, function: usize) -> f64 {
        let asked = window.demand[node][function];
        let served = self.sum(|flow| flow.from == node && flow.function == function);
        if asked > 0.0 { (served / asked).min(1.0) } else { 1.0 }
    }

    /// Instances of a function that a node needs: what is held at one time, by instance.
    pub fn instances(&self, window: &Window, node: usize, function: usize) -> f64 {
        let hold = window.costs[node][function].map_or(0.0, |cost| cost.hold);
        self.rate_at(node, function) * hold / window.functions[function].concurrency
    }

    /// Processors that a node uses.
    pub fn cores_used(&self, window: &Window, node: usize) -> f64 {
        let cpu = |function: usize| window.costs[node][function].map_or(0.0, |cost| cost.cpu);
        let here = self.flows.iter().filter(|flow| flow.to == node);
        here.map(|flow| flow.rate * cpu(flow.function)).sum()
    }

    /// Invocations a second that are forwarded.
    pub fn forwarded(&self) -> f64 {
        self.sum(|flow| flow.from != flow.to)
    }

    /// Seconds a second by which forwarding delays invocations.
    pub fn delay(&self, window: &Window) -> f64 {
        let link = |link: &Link| ((link.from, link.to), *link);
        let links: std::collections::BTreeMap<(usize, usize), Link> = window.links.iter().map(link).collect();
        let added = |flow: &Flow| {
            let link = links.get(&(flow.from, flow.to))?;
            Some(flow.rate * link.added(window.functions[flow.function].payload))
        };
        self.flows.iter().filter_map(added).sum()
    }

    fn sum(&self, of: impl Fn(&Flow) -> bool) -> f64 {
        self.flows.iter().filter(|flow| of(flow)).map(|flow| flow.rate).sum()
    }
}
