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

/// What data of the client are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They begin a request at which the connection may move: the first, or one behind a request and an answer that are
    /// complete, and of which both sides have acknowledged all.
    Request,
    /// They follow the head of such a request, which has not come; or begin one while the backend has not acknowledged
    /// the last, though it has answered it.
    Ahead,
    /// Something else.
    Other,
}

/// What data at `sequence` are of where the next request begins at `expected`; `acked`: the backend has acknowledged all
/// before.
#[inline(always)]
#[must_use]
pub const fn place(sequence: u32, expected: u32, acked: bool) -> Data {
    if sequence == expected && acked {
        Data::Request
    } else if sequence == expected || after(sequence, expected) {
        Data::Ahead
    } else {
        Data::Other
    }
}

/// What is known of the requests; written only where packets of the client are handled.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientSide {
    /// The present exchange and where its answer starts: what the client acknowledged as it asked.
    pub asked: Milestone,
    /// Sequence number after the last byte of the present request.
    pub request_end: u32,
    /// 1: the client said that this request is its last (`Connection: close`), so nothing that follows moves.
    pub last: u32,
}

impl ClientSide {
    /// A segment that begins a request: the first data of a connection, or one that [`Self::data`] calls a request.
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
        self.last = (facts.flags & flag::CLOSES != 0) as u32;
        self.request_end = sequence.wrapping_add(length as u32);
        self.asked = Milestone::new(self.asked.exchange().wrapping_add(1), acknowledgment);
        Verdict::Go
    }

    /// What data of the client at `sequence` are of, once there has been a request.
    ///
    /// `backend_acked` is the highest acknowledgment of the backend, `answered` is [`super::BackendSide::answered`].
    #[inline(always)]
    #[must_use]
    pub const fn data(
        &self,
        sequence: u32,
        acknowledgment: u32,
        backend_acked: u32,
        answered: Milestone,
    ) -> Data {
        if !self.has_answer(acknowledgment, answered) {
            return Data::Other;
        }
        place(sequence, self.request_end, backend_acked == self.request_end)
    }

    /// How many bytes of a segment still are of a request whose answer is complete, if another begins behind them: the
    /// backend answered before it had all of the request, and the client sends the end again together with the next. 0:
    /// it is not so.
    #[inline(always)]
    #[must_use]
    pub const fn end_of_answered(
        &self,
        sequence: u32,
        payload: u32,
        acknowledgment: u32,
        answered: Milestone,
    ) -> u32 {
        let end = sequence.wrapping_add(payload);
        if self.has_answer(acknowledgment, answered)
            && after(self.request_end, sequence)
            && after(end, self.request_end)
        {
            self.request_end.wrapping_sub(sequence)
        } else {
            0
        }
    }

    /// Whether the present request is answered, the client has acknowledged just that, and may send another.
    #[inline(always)]
    const fn has_answer(&self, acknowledgment: u32, answered: Milestone) -> bool {
        self.last == 0
            && self.asked.exchange() != 0
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
