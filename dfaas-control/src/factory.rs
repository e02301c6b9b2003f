use std::time::Duration;

use crate::strategies::{
    AllLocal, External, LatencyThreshold, Lease, NodeMargin, P2c, RandomParts, Recalc, Static,
};
use crate::strategy::Strategy;

/// Names that [`strategy`] knows.
pub const STRATEGIES: &[&str] = &[
    "alllocal",
    "external",
    "latency-threshold",
    "lease",
    "nodemargin",
    "p2c",
    "random",
    "recalc",
    "static",
];

/// The strategy of a node whose configuration names none.
pub const DEFAULT_STRATEGY: &str = "lease";

/// What strategies can be told by configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Time between ticks. Plans expire three and a half periods after they were written.
    pub period: Duration,
    /// `static`: percent of the invocations that stay here, 0 to 100.
    pub static_local: f64,
    /// `recalc`: who gets a node's margin.
    pub recalc_split: RecalcSplit,
    /// `random`: whether a part is answered 503 too.
    pub random_reject: bool,
    /// `latency-threshold`: peers with a longer round-trip time get nothing.
    pub latency_threshold: Duration,
    /// `nodemargin`: percent of a resource from which on a node is overloaded, above 0 to 100.
    pub nodemargin_threshold: f64,
}

/// Among whom `recalc` divides a node's margin for a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RecalcSplit {
    /// The peers that reported overload for it, all that have it if none did: the CloudNet 2021 article.
    #[default]
    Overloaded,
    /// All peers that have it: the published code, which strands what the others do not need.
    All,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(1),
            static_local: 60.0,
            recalc_split: RecalcSplit::default(),
            random_reject: false,
            latency_threshold: Duration::from_millis(50),
            nodemargin_threshold: 90.0,
        }
    }
}

impl Options {
    /// Time after writing when a plan expires: 3.5 periods, so that three lost ticks harm nothing.
    pub fn lifetime(&self) -> Duration {
        self.period * 7 / 2
    }
}

/// There is no strategy of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy \"{0}\"; known are {known}", known = STRATEGIES.join(", "))]
pub struct UnknownStrategy(pub String);

/// Makes the strategy called `name`.
///
/// # Errors
/// If the name is not one of [`STRATEGIES`].
pub fn strategy(name: &str, options: &Options) -> Result<Box<dyn Strategy>, UnknownStrategy> {
    match name {
        "alllocal" => Ok(Box::new(AllLocal::new(options))),
        "external" => Ok(Box::new(External::new(options))),
        "latency-threshold" => Ok(Box::new(LatencyThreshold::new(options))),
        "lease" => Ok(Box::new(Lease::new(options))),
        "nodemargin" => Ok(Box::new(NodeMargin::new(options))),
        "p2c" => Ok(Box::new(P2c::new(options))),
        "random" => Ok(Box::new(RandomParts::new(options))),
        "recalc" => Ok(Box::new(Recalc::new(options))),
        "static" => Ok(Box::new(Static::new(options))),
        _ => Err(UnknownStrategy(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_strategy_is_made_under_its_own_name() {
        for name in STRATEGIES {
            assert_eq!(strategy(name, &Options::default()).unwrap().name(), *name);
        }
        assert!(STRATEGIES.contains(&DEFAULT_STRATEGY));
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let Err(error) = strategy("leese", &Options::default()) else { panic!("\"leese\" was made") };
        let known = STRATEGIES.join(", ");
        assert_eq!(error.to_string(), format!("unknown strategy \"leese\"; known are {known}"));
    }
}
