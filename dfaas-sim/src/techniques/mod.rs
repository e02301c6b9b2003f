//! Ways to share load that exist in the simulator only, to compare the production strategies with.
//!
//! Those called `dfaas-*` are the techniques of the simulators of the original DFaaS (Ciavotta, Motterlini, Savi, Tundo,
//! CloudNet 2021, doi 10.1109/CloudNet53349.2021.9657141): the first three of the one that is driven by data, the others
//! of the one that is driven by models. There every node saw every other's state at once; here nodes tell each other in
//! [`Word`]s, which take their time and can be lost. `serverledge` and `auction` are what others do.
//!
//! Three of them, `dfaas-random`, `dfaas-empirical` and `auction`, know that a function is overloaded by its limit
//! (`max_rate`) alone: without one they forward nothing.
//!
//! The limits of functions hold in all of them. `dfaas-equal` and `dfaas-power-saving` divide all invocations; the others
//! serve here as far as the limits reach and say where the rest goes.

mod auction;
mod base;
mod empirical;
mod equal;
mod market;
mod metrics;
mod neighbours;
mod per_request;
mod plans;
mod power_saving;
mod random_peers;
mod serverledge;
mod shedding;
mod state;
mod technique;

use dfaas_control::{Options, STRATEGIES, strategy};

pub use auction::Auction;
pub use base::Base;
pub use empirical::Empirical;
pub use equal::Equal;
pub use market::{Bid, Offer};
pub use per_request::PerRequest;
pub use power_saving::{PowerSaving, PowerWord};
pub use random_peers::RandomPeers;
pub use serverledge::Serverledge;
pub use state::{FunctionState, StateWord};
pub use technique::{Act, Adapted, AuctionWord, Technique, Word};

/// Names of the techniques that exist here only.
pub const TECHNIQUES: &[&str] = &[
    "auction",
    "dfaas-base",
    "dfaas-empirical",
    "dfaas-equal",
    "dfaas-power-saving",
    "dfaas-random",
    "p2c-per-request",
    "serverledge",
];

/// Whether a technique sees that a function is overloaded by its limit alone, and so does nothing where nobody has typed one.
pub fn needs_limits(name: &str) -> bool {
    ["auction", "dfaas-base", "dfaas-empirical", "dfaas-random"].contains(&name)
}

/// Whether nodes with this technique take nothing from peers once they are drained.
pub fn drains(name: &str) -> bool {
    name == "lease"
}

/// There is neither a technique nor a strategy of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy \"{0}\"; known are {strategies}, and in the simulator {techniques}",
    strategies = STRATEGIES.join(", "), techniques = TECHNIQUES.join(", "))]
pub struct UnknownTechnique(pub String);

/// Makes the technique or the production strategy called `name`.
///
/// # Errors
/// If the name is in neither [`TECHNIQUES`] nor [`STRATEGIES`].
pub fn technique(name: &str, options: &Options) -> Result<Box<dyn Technique>, UnknownTechnique> {
    match name {
        "auction" => Ok(Box::new(Auction::new(options))),
        "dfaas-base" => Ok(Box::new(Base::new(options))),
        "dfaas-empirical" => Ok(Box::new(Empirical::new(options))),
        "dfaas-equal" => Ok(Box::new(Equal::new(options))),
        "dfaas-power-saving" => Ok(Box::new(PowerSaving::new(options))),
        "dfaas-random" => Ok(Box::new(RandomPeers::new(options))),
        "p2c-per-request" => Ok(Box::new(PerRequest::new(options))),
        "serverledge" => Ok(Box::new(Serverledge::new(options))),
        _ => strategy(name, options)
            .map(|strategy| Box::new(Adapted(strategy)) as Box<dyn Technique>)
            .map_err(|_| UnknownTechnique(name.to_owned())),
    }
}
