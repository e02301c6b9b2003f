mod alllocal;
mod fixed;
mod latency;
mod lease;
mod plain;
mod random;
mod recalc;

pub use alllocal::AllLocal;
pub use fixed::Static;
pub use latency::LatencyThreshold;
pub use lease::Lease;
pub use random::RandomParts;
pub use recalc::Recalc;
