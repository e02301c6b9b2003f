//! What a request asks for.
//!
//! Understood (RFC 9112, 3): `METHOD /function/NAME` and `METHOD /async-function/NAME`, ended by a space, `/` or `?`, in
//! origin form or absolute form (`POST http://host/function/NAME ...`). Everything else, a line that is split over
//! segments included, is not for us to decide and goes to the local gateway. [`crate::http::request`] reads it.

/// How far the reader has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The line is not complete yet.
    Incomplete,
    /// An invocation; the name is complete.
    Invocation,
    /// Something else.
    Other,
}

/// Whether a byte may stand in a function name (`[-a-zA-Z_0-9.]`, as the OpenFaaS gateway routes them).
#[inline(always)]
#[must_use]
pub const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.'
}
