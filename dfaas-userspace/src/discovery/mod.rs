//! Which functions the gateways of this node have, whether they work and what they count.
//!
//! A gateway is asked through [`Provider`]; everything else here is the same for every kind of it.

mod catalogue;
mod counts;
mod error;
mod memory;
mod openfaas;
mod provider;
mod source;
mod task;

pub use catalogue::{Catalogue, FunctionInfo};
pub use counts::{Counts, FunctionCounts};
pub use error::{DiscoveryError, MAX_ANSWER};
pub use memory::Memory;
pub use openfaas::OpenFaas;
pub use provider::{DEFAULT_NAMESPACE, ListedFunction, Listing, Provider};
pub use source::Source;
pub use task::{News, Report, count, follow, watch};

/// Whether callers can name a function so: 1 to 63 of the characters that the gateway routes.
pub fn valid_spelling(text: &str) -> bool {
    let routed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=63).contains(&text.len()) && text.bytes().all(routed)
}
