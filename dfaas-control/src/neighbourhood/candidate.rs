use std::time::Duration;

use crate::id::NodeId;

/// What is known of a node that may become, or is, a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its number, by which it is drawn.
    pub number: NodeId,
    /// Round-trip time, if it was ever measured.
    pub rtt: Option<Duration>,
    /// How a link to it stands.
    pub link: Link,
    /// How many links it said it has.
    pub links: Option<usize>,
    /// It said that this link is one of those that it drew or that its operator pinned.
    pub keeps: bool,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// None, and it can be sought.
    Free,
    /// None, and for a while it is not to be sought: it was refused, left, or the node was not reached.
    Barred,
    /// Under way.
    Sought,
    /// There.
    Held,
}

impl Candidate {
    /// A node of which only the number is known.
    pub fn unknown(number: NodeId) -> Self {
        Self { number, rtt: None, link: Link::Free, links: None, keeps: false }
    }

    /// Whether it takes one of the places.
    pub fn is_engaged(&self) -> bool {
        matches!(self.link, Link::Sought | Link::Held)
    }

    /// Round-trip time for comparisons: unknown ones are the longest.
    pub(super) fn distance(&self) -> (Duration, NodeId) {
        (self.rtt.unwrap_or(Duration::MAX), self.number)
    }
}
