/// Longest answer that is read, in bytes: some ten thousand functions.
pub const MAX_ANSWER: usize = 8 << 20;

/// Why a provider could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No answer.
    #[error("gateway {url}: no answer: {cause}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What went wrong.
        cause: String,
    },
    /// An answer other than 200.
    #[error("gateway {url}: answered {status}{hint}")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// What to do; empty if that is not known.
        hint: String,
    },
    /// An answer longer than [`MAX_ANSWER`].
    #[error("gateway {url}: answer longer than {MAX_ANSWER} bytes")]
    TooLong {
        /// What was asked.
        url: String,
    },
    /// An answer that is not what OpenFaaS gateways answer.
    #[error("gateway {url}: {cause}; is it the address of an OpenFaaS gateway?")]
    Malformed {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
}
