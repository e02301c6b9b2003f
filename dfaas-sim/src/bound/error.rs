/// Why a window cannot be meant.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// A table has too few or too many entries.
    #[error("{what}: {found} entries where there must be {expected}")]
    Shape {
        /// The table.
        what: &'static str,
        /// Entries that it must have.
        expected: usize,
        /// Entries that it has.
        found: usize,
    },
    /// A number is negative, not a number, above 1e18 where that means nothing, or zero where something is divided by it.
    #[error("{what} cannot be {value}")]
    Number {
        /// What it is.
        what: String,
        /// The number.
        value: f64,
    },
    /// A link's end is not there.
    #[error("link from node {from} to {to}, but nodes are 0 to {}", nodes.saturating_sub(1))]
    NoNode {
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
        /// Number of nodes.
        nodes: usize,
    },
    /// Two links join the same nodes in the same direction, or one joins a node with itself.
    #[error("link from node {from} to {to} is there twice, or joins a node with itself")]
    LinkTwice {
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
    },
}

/// Why there is no bound.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BoundError {
    /// The window is not one.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The solver did not take the problem, or gave up far from the best.
    #[error(
        "the solver ended with \"{status}\": a division of value {value} is known, and none exceeds {ceiling}"
    )]
    Solver {
        /// What the solver says.
        status: String,
        /// Value of the best division found.
        value: f64,
        /// No division's value exceeds this.
        ceiling: f64,
    },
}
