use dfaas_control::STRATEGIES;

/// Names of all techniques that a run knows.
pub fn techniques() -> impl Iterator<Item = &'static str> {
    STRATEGIES.iter().copied()
}
