use crate::discovery::DiscoveryError;

/// Why a function is not profiled.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// What was asked for has no meaning.
    #[error("{0}")]
    Usage(String),
    /// The gateway does not list its functions.
    #[error("{0}; its functions are listed before any load is put on one")]
    Gateway(#[from] DiscoveryError),
    /// It has no such function.
    #[error("the gateway at {gateway} has no function {function}; it has {there}")]
    Unknown {
        /// Its address.
        gateway: String,
        /// The name that was given.
        function: String,
        /// The names that there are.
        there: String,
    },
    /// The function cannot answer.
    #[error("function {0} has no replica that is ready; scale it up first")]
    NoReplica(String),
    /// The HTTP client could not be made, or the address not be found.
    #[error("{0}")]
    Client(String),
}
