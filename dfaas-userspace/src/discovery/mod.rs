//! Which functions the gateways of this node have, followed by polling `/system/functions`, and whether they work.

mod catalogue;
mod client;
mod health;
mod listing;
mod memory;
mod task;

pub use catalogue::{Catalogue, FunctionInfo};
pub use client::{Client, DiscoveryError, MAX_ANSWER};
pub use health::Health;
pub use listing::{DEFAULT_NAMESPACE, ListedFunction, default_namespace, functions, namespaces};
pub use memory::{Listing, Memory};
pub use task::{News, Report, follow, watch};

/// Whether callers can name a function so: 1 to 63 of the characters that the gateway routes.
pub fn valid_spelling(text: &str) -> bool {
    let routed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=63).contains(&text.len()) && text.bytes().all(routed)
}
