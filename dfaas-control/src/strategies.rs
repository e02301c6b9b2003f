mod alllocal;
mod external;
mod fixed;
mod latency;
mod nodemargin;
mod p2c;
mod plain;
mod random;
mod recalc;

pub use alllocal::AllLocal;
pub use external::External;
pub use fixed::Static;
pub use latency::LatencyThreshold;
pub use nodemargin::NodeMargin;
pub use p2c::P2c;
pub use random::RandomParts;
pub use recalc::Recalc;
