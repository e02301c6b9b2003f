//! Which functions the local gateway has, followed by polling `/system/functions`.

mod catalogue;
mod client;
mod listing;
mod memory;
mod task;

pub use catalogue::{Catalogue, FunctionInfo};
pub use client::{Client, DiscoveryError, MAX_ANSWER};
pub use listing::{DEFAULT_NAMESPACE, ListedFunction, default_namespace, functions, namespaces};
pub use memory::{Listing, Memory};
pub use task::follow;

/// Whether callers can name a function so: 1 to 63 of the characters that the gateway routes.
pub fn valid_spelling(text: &str) -> bool {
    let routed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=63).contains(&text.len()) && text.bytes().all(routed)
}
