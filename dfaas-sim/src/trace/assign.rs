use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};

use super::{SeriesKey, Trace, TraceError};

/// How the functions of a trace are given to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignment {
    /// Each function to one node, drawn evenly: all its requests arrive there.
    One,
    /// Each node draws how many functions it has, from `least` to `most`, and which; the requests of a function arrive
    /// at every node that has it, as many as the trace says.
    PerNode {
        /// The fewest functions of a node.
        least: usize,
        /// The most functions of a node.
        most: usize,
    },
    /// Each function at all nodes, its requests divided in proportions drawn evenly among all proportions.
    Divided,
}

impl Trace {
    /// The same requests at the named nodes. Which node they were at before does not matter.
    ///
    /// # Errors
    /// [`TraceError`] if there is no node or no function, or `least` is more than `most`.
    pub fn assign(
        &self,
        nodes: &[String],
        assignment: Assignment,
        rng: &mut impl Rng,
    ) -> Result<Self, TraceError> {
        let mut functions: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (key, counts) in self.series() {
            let sums = functions.entry(&key.function).or_insert_with(|| vec![0.0; counts.len()]);
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        if nodes.is_empty() || functions.is_empty() {
            return Err(TraceError::Empty(if nodes.is_empty() { "node" } else { "function" }));
        }
        let mut trace = Self::new(self.start(), self.interval(), self.intervals())?;
        match assignment {
            Assignment::One => {
                for (function, counts) in &functions {
                    if let Some(node) = nodes.choose(rng) {
                        trace.add(SeriesKey::at(node, function), counts)?;
                    }
                }
            }
            Assignment::PerNode { least, most } => {
                if least > most {
                    let (name, must) = ("fewest functions of a node", "at most the most");
                    return Err(TraceError::Parameter { name, value: least as f64, must });
                }
                for node in nodes {
                    let many = rng.random_range(least..=most);
                    for (function, counts) in functions.iter().choose_multiple(rng, many) {
                        trace.add(SeriesKey::at(node, function), counts)?;
                    }
                }
            }
            Assignment::Divided => {
                for (function, counts) in &functions {
                    for (node, part) in nodes.iter().zip(proportions(nodes.len(), rng)) {
                        let counts: Vec<f64> = counts.iter().map(|count| count * part).collect();
                        trace.add(SeriesKey::at(node, function), &counts)?;
                    }
                }
            }
        }
        Ok(trace)
    }
}

/// Parts that add up to one, uniform on the simplex: exponential numbers over their sum.
fn proportions(parts: usize, rng: &mut impl Rng) -> Vec<f64> {
    let drawn: Vec<f64> = (0..parts).map(|_| -(1.0 - rng.random::<f64>()).ln()).collect();
    let sum: f64 = drawn.iter().sum();
    // All are zero once in 2^53 draws of a single one.
    drawn.iter().map(|part| if sum > 0.0 { part / sum } else { 1.0 / parts as f64 }).collect()
}
