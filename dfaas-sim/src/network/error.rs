/// Why a network cannot be made as asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// A parameter has no meaning.
    #[error("{name} is {value}, and must be {must}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What would be accepted.
        must: &'static str,
    },
    /// A link names a node that does not exist, or joins a node to itself.
    #[error("a link joins nodes {from} and {to}, and there are nodes 0 to {last}, none linked to itself")]
    Link {
        /// One end.
        from: usize,
        /// The other end.
        to: usize,
        /// The last node.
        last: usize,
    },
    /// Parts that should be about the same nodes are not.
    #[error("{nodes} nodes, and {what} of {other}")]
    Sizes {
        /// How many nodes there are.
        nodes: usize,
        /// What does not fit them.
        what: &'static str,
        /// How many it is for.
        other: usize,
    },
    /// Two nodes have the same name.
    #[error("two nodes are called \"{name}\"; give each a name of its own")]
    Name {
        /// The name.
        name: String,
    },
    /// A geometric graph needs to know where nodes stand.
    #[error(
        "a geometric network needs positions, and measured round-trip times have none; take near instead"
    )]
    NoPositions,
    /// No connected graph was drawn.
    #[error(
        "none of {attempts} graphs of {nodes} nodes was connected; raise the probability or the radius, or join them"
    )]
    NotConnected {
        /// How many were drawn.
        attempts: usize,
        /// Nodes in each.
        nodes: usize,
    },
}

/// A number that must be in `0..=1`.
pub(super) fn fraction(name: &'static str, value: f64) -> Result<(), NetworkError> {
    check((0.0..=1.0).contains(&value), name, value, "in 0 to 1")
}

/// A finite number, zero or more.
pub(super) fn amount(name: &'static str, value: f64) -> Result<(), NetworkError> {
    check(value.is_finite() && value >= 0.0, name, value, "finite and not negative")
}

fn check(good: bool, name: &'static str, value: f64, must: &'static str) -> Result<(), NetworkError> {
    if good { Ok(()) } else { Err(NetworkError::Parameter { name, value, must }) }
}
