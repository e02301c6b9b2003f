//! HTTP/1.1 in the packet path: where requests and answers begin and end (RFC 9112).
//!
//! A connection may move to another backend only between two exchanges, at a sequence number known beforehand: a body
//! may contain anything, also what looks like a request. So heads are read strictly, and whatever leaves a doubt about
//! the end of a message, in our reading or in that of any other implementation, *pins* the connection: it stays with
//! its backend for good.
//!
//! Everything here is a small step over memory of fixed size, to be called from a loop of the kernel's
//! (`bpf_loop`), with every index masked; the readers go over words of eight bytes.

pub mod chunk;
pub mod exchange;
pub mod fields;
pub mod look;
pub mod request;
pub mod response;
pub mod words;

#[cfg(test)]
mod tests;

/// What a head says of its message and of the connection, as bits.
pub mod flag {
    /// No end after this message can be known for certain, or the connection is to stay where it is.
    pub const PINS: u32 = 1;
    /// `Connection: close`: no exchange follows this one.
    pub const CLOSES: u32 = 2;
    /// There is an `X-Forwarded-For` line.
    pub const FORWARDED_FOR: u32 = 4;
    /// The body comes in chunks.
    pub const CHUNKED: u32 = 8;
    /// There is a `Content-Length` line.
    pub const LENGTH: u32 = 16;
}

/// Longest message that is followed, bytes. Two sequence numbers can be compared while they are less than 2^31 apart
/// (RFC 1982); the rest is room for windows.
pub const LONGEST_MESSAGE: u64 = 1 << 30;

/// Most steps that a reader may take for one head; a head that would take more counts as incomplete.
pub const STEPS: u32 = 512;
