//! Where the requests and answers of one connection begin and end, by sequence numbers.
//!
//! All sequence numbers are those that the client sees. The two sides of an [`Exchange`] are written by different CPUs at
//! the same time; all that one tells the other is a [`Milestone`], one word that is read and written whole.
//!
//! The rule is the same everywhere: what is not certain pins the connection for good.

mod backend;
mod client;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use backend::{Answer, BackendSide};
pub use client::{ClientSide, Data, Verdict, place};

/// What is known of the requests and answers of one connection. All zeros: no request yet.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exchange {
    /// Written only where packets of the client are handled.
    pub client: ClientSide,
    /// Written only where packets of the backend are handled.
    pub backend: BackendSide,
}

/// The number of an exchange, from 1 on, and a sequence number that belongs to it; one word, so that another CPU never
/// sees half of it.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Milestone(pub u64);

impl Milestone {
    /// A sequence number of an exchange.
    #[inline(always)]
    #[must_use]
    pub const fn new(exchange: u32, sequence: u32) -> Self {
        Self((exchange as u64) << 32 | sequence as u64)
    }

    /// The number of the exchange; 0: there has been none.
    #[inline(always)]
    #[must_use]
    pub const fn exchange(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The sequence number.
    #[inline(always)]
    #[must_use]
    pub const fn sequence(self) -> u32 {
        self.0 as u32
    }
}

/// Whether a sequence number comes after another one (RFC 1982): both within 2^31.
#[inline(always)]
#[must_use]
pub const fn after(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}
