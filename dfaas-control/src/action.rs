//! What `external` tells an external policy and hears from it, in the terms of the original's model server.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::NodeId;

/// How far the parts of an action may be from summing to 1: models round.
const TOLERANCE: f64 = 0.01;

/// One function at this node. What is called previous is what was asked with last. Rates are invocations a second.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// What users ask for.
    pub input_rate: f64,
    /// The same at the query before.
    pub previous_input_rate: f64,
    /// What is answered 429 or 503 here.
    pub reject_rate: f64,
    /// The same at the query before.
    pub previous_reject_rate: f64,
    /// Mean time to the first byte here; `None`: not measured.
    pub response_time: Option<Duration>,
    /// The same at the query before.
    pub previous_response_time: Option<Duration>,
    /// Processors in use, in percent of all; `None`: not measured.
    pub cpu: Option<f64>,
    /// The same at the query before.
    pub previous_cpu: Option<f64>,
    /// Instances that run here; `None`: not known.
    pub replicas: Option<u32>,
    /// The same at the query before.
    pub previous_replicas: Option<u32>,
    /// The peers that the function may be sent to, and what became of what was sent there since the query before.
    pub peers: BTreeMap<NodeId, Forwarded>,
}

/// What was sent to one peer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Forwarded {
    /// Invocations a second.
    pub rate: f64,
    /// Of these, those that it refused.
    pub refused: f64,
    /// Mean time to the first byte of its answers; `None`: not measured.
    pub response_time: Option<Duration>,
}

/// How one function's invocations are to be divided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Action {
    /// The part that is served here.
    pub local: f64,
    /// The part that is answered 503.
    pub reject: f64,
    /// The parts of peers.
    pub peers: BTreeMap<NodeId, f64>,
}

/// Why an action cannot be meant.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// A part is negative or no number.
    #[error("{0} is not a part of 0 to 1")]
    Part(f64),
    /// The parts are not a whole.
    #[error("the parts sum to {0} instead of 1")]
    Sum(f64),
}

impl Action {
    /// Whether its parts are parts and sum to 1.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), ActionError> {
        let mut sum = 0.0;
        for part in [self.local, self.reject].iter().chain(self.peers.values()) {
            if !part.is_finite() || *part < 0.0 {
                return Err(ActionError::Part(*part));
            }
            sum += part;
        }
        if (sum - 1.0).abs() <= TOLERANCE { Ok(()) } else { Err(ActionError::Sum(sum)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_must_be_parts_and_sum_to_one() {
        let action =
            |local, reject, peer| Action { local, reject, peers: [(NodeId(1), peer)].into() }.check();
        assert_eq!(action(0.5, 0.0, 0.5), Ok(()));
        assert_eq!(action(0.333, 0.333, 0.333), Ok(()), "models round");
        assert_eq!(action(0.5, 0.0, 0.4), Err(ActionError::Sum(0.9)));
        assert_eq!(action(1.5, -0.5, 0.0), Err(ActionError::Part(-0.5)));
        assert!(matches!(action(f64::NAN, 0.0, 1.0), Err(ActionError::Part(_))));
        assert!(matches!(action(f64::INFINITY, 0.0, 0.0), Err(ActionError::Part(_))));
        assert!(matches!(action(f64::MAX, f64::MAX, 0.0), Err(ActionError::Sum(_))));
    }
}
