//! The client's side: requests.

use super::{Milestone, after};
use crate::http::request::RequestFacts;
use crate::http::{LONGEST_MESSAGE, flag};

/// Whether a connection may still move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Go,
    /// It stays with its backend for good.
    Pin,
}

/// What is known of the requests; written only where packets of the client are handled.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientSide {
    /// The present exchange and where its answer starts: what the client acknowledged as it asked.
    pub asked: Milestone,
    /// Sequence number after the last byte of the present request.
    pub request_end: u32,
    /// Zero.
    pub padding: u32,
}

impl ClientSide {
    /// A segment that begins a request: the first data of a connection, or one [`Self::at_boundary`].
    #[inline(always)]
    pub fn on_request(
        &mut self,
        sequence: u32,
        acknowledgment: u32,
        payload: u32,
        facts: &RequestFacts,
    ) -> Verdict {
        let length = facts.head as u64 + facts.body;
        // More than the request is another one, sent before the answer to this one.
        if facts.flags & flag::PINS != 0
            || facts.head == 0
            || length > LONGEST_MESSAGE
            || payload as u64 > length
        {
            return Verdict::Pin;
        }
        self.request_end = sequence.wrapping_add(length as u32);
        self.asked = Milestone::new(self.asked.exchange().wrapping_add(1), acknowledgment);
        Verdict::Go
    }

    /// Whether data of the client at `sequence` begin a request at which the connection may move: the request before it
    /// and its answer are complete, and both sides have acknowledged all of it.
    ///
    /// `backend_acked` is the highest acknowledgment of the backend, `answered` is [`super::BackendSide::answered`].
    #[inline(always)]
    #[must_use]
    pub const fn at_boundary(
        &self,
        sequence: u32,
        acknowledgment: u32,
        backend_acked: u32,
        answered: Milestone,
    ) -> bool {
        sequence == self.request_end && self.at_rest(acknowledgment, backend_acked, answered)
    }

    /// Whether data of the client that come now are of a request that has not begun yet: the one before and its answer
    /// are complete. Where such data lie beyond [`Self::request_end`], the head of their request is lost or late.
    #[inline(always)]
    #[must_use]
    pub const fn at_rest(&self, acknowledgment: u32, backend_acked: u32, answered: Milestone) -> bool {
        self.has_answer(acknowledgment, answered) && backend_acked == self.request_end
    }

    /// Whether the client has all of the answer to its last request. What it sends beyond the end of that request is of
    /// another one then, even where the backend's acknowledgment of the last is still to come.
    #[inline(always)]
    #[must_use]
    pub const fn has_answer(&self, acknowledgment: u32, answered: Milestone) -> bool {
        self.asked.exchange() != 0
            && answered.exchange() == self.asked.exchange()
            && acknowledgment == answered.sequence()
    }

    /// A segment of the client that is at no boundary: it must not go beyond the present request. What lies before its
    /// end has been seen, or is part of it whatever is lost or comes late.
    #[inline(always)]
    #[must_use]
    pub const fn client_segment(&self, sequence: u32, payload: u32) -> Verdict {
        if payload != 0 && after(sequence.wrapping_add(payload), self.request_end) {
            return Verdict::Pin;
        }
        Verdict::Go
    }
}
