use dfaas_control::STRATEGIES;

use crate::techniques::TECHNIQUES;

/// Names of all techniques that a run knows: the agent's, then those that exist here only.
pub fn techniques() -> impl Iterator<Item = &'static str> {
    STRATEGIES.iter().chain(TECHNIQUES).copied()
}
