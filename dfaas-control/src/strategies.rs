mod alllocal;
mod fixed;
mod latency;
mod plain;
mod random;
mod recalc;

pub use alllocal::AllLocal;
pub use fixed::Static;
pub use latency::LatencyThreshold;
pub use random::RandomParts;
pub use recalc::Recalc;
