use super::error::WindowError;

/// One window of time: who asks for what, and what there is to serve it. Nodes and functions are their indices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Functions.
    pub functions: Vec<Function>,
    /// What one invocation takes, by node and function; `None`: the node does not have the function.
    pub costs: Vec<Vec<Option<Cost>>>,
    /// Invocations a second that users bring, by node and function.
    pub demand: Vec<Vec<f64>>,
    /// Who may forward to whom. A node always reaches itself, in no time.
    pub links: Vec<Link>,
}

/// What a node has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Processors (C).
    pub cores: f64,
    /// Part of them that may be used (rho); above 1 for work that is carried on after the window.
    pub usable: f64,
    /// Memory for instances (M) in bytes; infinite: no limit.
    pub memory: f64,
}

/// What is the same for a function at all nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Function {
    /// Processor time (s) of one invocation on the processor by which work is counted (w, for [`Goal::Work`]).
    pub work: f64,
    /// Worth of one invocation (w, for [`Goal::Value`]).
    pub value: f64,
    /// Invocations that one instance serves at one time (q).
    pub concurrency: f64,
    /// Memory (bytes) of one instance (m).
    pub memory: f64,
    /// Bytes that forwarding moves, request and answer (l).
    pub payload: f64,
    /// Time (s) within which an answer is of use (D).
    pub deadline: f64,
}

/// What one invocation takes at a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Processor time in seconds (s).
    pub cpu: f64,
    /// Time (s) for which it holds its place in an instance (h): at least that of computing, and waiting besides.
    pub hold: f64,
    /// Most of them a second that the node serves (L): by a label, or as many as fit its instances; infinite: no limit.
    pub most: f64,
}

/// A directed way from one node to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The node that forwards.
    pub from: usize,
    /// The node that serves.
    pub to: usize,
    /// Time (s) that going there and back adds (d).
    pub delay: f64,
    /// Bytes a second (B); `None`: as many as anybody likes.
    pub bandwidth: Option<f64>,
}

/// What the best division has most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Invocations: each counts 1.
    Requests,
    /// Work: each counts [`Function::work`].
    Work,
    /// Each counts [`Function::value`].
    Value,
}

impl Goal {
    /// What one invocation of a function counts.
    pub fn weight(self, function: &Function) -> f64 {
        match self {
            Self::Requests => 1.0,
            Self::Work => function.work,
            Self::Value => function.value,
        }
    }
}

impl Link {
    /// Time (s) that forwarding one invocation with this payload adds.
    pub fn added(&self, payload: f64) -> f64 {
        self.delay + self.bandwidth.map_or(0.0, |bandwidth| payload / bandwidth)
    }
}

impl Window {
    /// The same window where everyone may forward to everyone, with the delay (s) that `delay` gives.
    pub fn fully_linked(&self, delay: impl Fn(usize, usize) -> f64) -> Self {
        let all = 0..self.nodes.len();
        let pairs = all.clone().flat_map(|from| all.clone().map(move |to| (from, to)));
        let links = pairs.filter(|(from, to)| from != to);
        let links = links.map(|(from, to)| Link { from, to, delay: delay(from, to), bandwidth: None });
        Self { links: links.collect(), ..self.clone() }
    }

    /// What all users together ask for, by the goal's measure, a second.
    pub fn asked(&self, goal: Goal) -> f64 {
        let weights: Vec<f64> = self.functions.iter().map(|function| goal.weight(function)).collect();
        self.demand.iter().flat_map(|row| row.iter().zip(&weights)).map(|(rate, weight)| rate * weight).sum()
    }

    /// Whether all tables have the right shapes and all numbers can be what they are said to be.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self) -> Result<(), WindowError> {
        let (nodes, functions) = (self.nodes.len(), self.functions.len());
        shape("costs", nodes, self.costs.len())?;
        shape("demand", nodes, self.demand.len())?;
        for (index, node) in self.nodes.iter().enumerate() {
            finite(|| format!("cores of node {index}"), node.cores)?;
            finite(|| format!("usable part of node {index}"), node.usable)?;
            not_negative(|| format!("memory of node {index}"), node.memory)?;
        }
        for (index, function) in self.functions.iter().enumerate() {
            finite(|| format!("work of function {index}"), function.work)?;
            finite(|| format!("value of function {index}"), function.value)?;
            finite(|| format!("memory of function {index}"), function.memory)?;
            finite(|| format!("payload of function {index}"), function.payload)?;
            not_negative(|| format!("deadline of function {index}"), function.deadline)?;
            positive(|| format!("concurrency of function {index}"), function.concurrency)?;
        }
        for (node, (costs, demand)) in self.costs.iter().zip(&self.demand).enumerate() {
            shape("costs of a node", functions, costs.len())?;
            shape("demand of a node", functions, demand.len())?;
            for (function, (cost, rate)) in costs.iter().zip(demand).enumerate() {
                finite(|| format!("demand of function {function} at node {node}"), *rate)?;
                let Some(cost) = cost else { continue };
                finite(|| format!("processor time of function {function} at node {node}"), cost.cpu)?;
                finite(|| format!("holding time of function {function} at node {node}"), cost.hold)?;
                not_negative(|| format!("limit of function {function} at node {node}"), cost.most)?;
            }
        }
        self.check_links()
    }

    fn check_links(&self) -> Result<(), WindowError> {
        let mut pairs = std::collections::BTreeSet::new();
        for link in &self.links {
            let Link { from, to, delay, bandwidth } = *link;
            if from.max(to) >= self.nodes.len() {
                return Err(WindowError::NoNode { from, to, nodes: self.nodes.len() });
            }
            if from == to || !pairs.insert((from, to)) {
                return Err(WindowError::LinkTwice { from, to });
            }
            finite(|| format!("delay from node {from} to {to}"), delay)?;
            bandwidth
                .map_or(Ok(()), |bytes| positive(|| format!("bandwidth from node {from} to {to}"), bytes))?;
        }
        Ok(())
    }
}

fn shape(what: &'static str, expected: usize, found: usize) -> Result<(), WindowError> {
    if expected == found { Ok(()) } else { Err(WindowError::Shape { what, expected, found }) }
}

/// Above this a product of three numbers can leave what a double holds.
const LARGEST: f64 = 1e18;

fn finite(what: impl Fn() -> String, value: f64) -> Result<(), WindowError> {
    if value <= LARGEST {
        not_negative(what, value)
    } else {
        Err(WindowError::Number { what: what(), value })
    }
}

fn not_negative(what: impl Fn() -> String, value: f64) -> Result<(), WindowError> {
    if value >= 0.0 { Ok(()) } else { Err(WindowError::Number { what: what(), value }) }
}

fn positive(what: impl Fn() -> String, value: f64) -> Result<(), WindowError> {
    if value > 1.0 / LARGEST { finite(what, value) } else { Err(WindowError::Number { what: what(), value }) }
}
