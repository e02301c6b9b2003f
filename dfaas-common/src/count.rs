//! Counters: their keys and names. Numbers are append-only and never reused.

use crate::first_byte::FirstByte;

/// Backend number of the local gateway.
pub const LOCAL: u32 = 0;
/// Backend number that stands for "answered here with 429 or 503".
pub const REJECT: u32 = 0xffff;
/// Function number for requests that are no invocation of a known function.
pub const NO_FUNCTION: u32 = 0;

/// Origins of invocations.
pub mod origin {
    /// A user of this node.
    pub const USER: u16 = 0;
    /// A peer, for one of its users.
    pub const PEER: u16 = 1;
}

/// Key of the counters of invocations (values: a [`Tally`] a CPU) and, with origin 0, of the gauges of those that are
/// under way.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountKey {
    /// Function number.
    pub function: u32,
    /// Backend number.
    pub backend: u16,
    /// One of [`origin`].
    pub origin: u16,
}

/// Classes of answers: by the first digit of the status, and 0 where there was none that could be read.
pub const CLASSES: usize = 6;

/// Key of the counters of kept connections that went on with another backend.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoveKey {
    /// Number of the backend that was left.
    pub from: u16,
    /// Number of the next.
    pub to: u16,
}

/// What is counted of the invocations of one function by one backend, of one origin; one value a CPU.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests.
    pub invocations: u64,
    /// Answers by class.
    pub answers: [u64; CLASSES],
    /// Of the requests, those that came here because another backend had refused or kept silent.
    pub retries: u64,
    /// Bytes of payload towards the backend and towards the client, heads included.
    pub bytes: [u64; 2],
    /// Times to the first byte of the answer.
    pub first_byte: FirstByte,
}

impl Tally {
    /// Nothing yet.
    pub const EMPTY: Self = Self {
        invocations: 0,
        answers: [0; CLASSES],
        retries: 0,
        bytes: [0; 2],
        first_byte: FirstByte::EMPTY,
    };

    /// Adds what another CPU has counted.
    pub fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.answers.iter_mut().zip(other.answers).for_each(|(sum, count)| *sum += count);
        self.retries += other.retries;
        self.bytes.iter_mut().zip(other.bytes).for_each(|(sum, count)| *sum += count);
        self.first_byte.add(&other.first_byte);
    }
}

/// The class of a status code; 0 for 0.
#[inline(always)]
#[must_use]
pub const fn class(status: u32) -> u32 {
    // A multiplication, because the programs cannot divide cheaply: right for all of 0..=999.
    (status * 5243) >> 19
}

macro_rules! numbered {
    ($(#[$meta:meta])* $name:ident, $count:ident { $($(#[$doc:meta])* $variant:ident = $number:literal $text:literal,)+ }) => {
        $(#[$meta])*
        #[repr(u32)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant = $number,)+ }

        impl $name {
            /// Every value with its stable name, by number.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$variant, $text),)+];
        }

        #[doc = concat!("Number of values of [`", stringify!($name), "`].")]
        pub const $count: u32 = $name::ALL.len() as u32;
    };
}

pub(crate) use numbered;

numbered! {
    /// Why a packet was dropped.
    DropReason, DROP_REASONS {
        /// The data plane met an impossible state or a helper failed.
        Internal = 0 "internal",
        /// The acknowledgment that completes a handshake; nothing is lost.
        HandshakeAck = 1 "handshake_ack",
        /// Data of a young connection whose first segment has not come yet; it will be sent again.
        FirstSegmentMissing = 2 "first_segment_missing",
        /// A connection was closed or reset before it sent a request.
        ClosedBeforeData = 3 "closed_before_data",
        /// A first segment larger than the window that was offered.
        FirstSegmentTooLarge = 4 "first_segment_too_large",
        /// No free entry in the flow table.
        FlowTableFull = 5 "flow_table_full",
        /// The payload does not fit the checksum of its segment.
        BadChecksum = 6 "bad_checksum",
        /// A packet of the client while its backend was being opened; it will be sent again.
        Opening = 7 "opening",
        /// A packet of a backend that the connection is not bound to.
        StaleBackend = 8 "stale_backend",
        /// A packet to the data port from an address that is no peer's; answered by a reset.
        Stranger = 9 "stranger",
        /// A packet of a peer for a connection that is not known; answered by a reset.
        UnknownFromPeer = 10 "unknown_from_peer",
        /// The header could not be translated.
        Malformed = 11 "malformed",
        /// A packet of a connection that was answered here; the rest of its body is discarded.
        Rejected = 12 "rejected",
        /// A packet for a peer that has no route.
        NoRoute = 13 "no_route",
        /// A SYN of a peer above what is taken from it; answered by a reset.
        Denied = 14 "denied",
        /// A request on a kept connection for a backend that may not have it, in a segment too large to be moved; it
        /// comes again in smaller ones.
        TooLargeToMove = 15 "too_large_to_move",
        /// An ICMP error of a steered connection that quotes nothing that is under way, or that the other IP family has
        /// no word for.
        IcmpIgnored = 16 "icmp_ignored",
    }
}

numbered! {
    /// What else happened; for operators who look closely and for tests.
    Event, EVENTS {
        /// A SYN was answered with a cookie.
        SynAnswered = 0 "syn_answered",
        /// A SYN passed natively because the data plane is disarmed.
        SynDisarmed = 1 "syn_disarmed",
        /// A SYN passed natively because its sender is no user.
        SynNotUser = 2 "syn_not_user",
        /// A SYN passed natively because the flow table is nearly full.
        SynTableFull = 3 "syn_table_full",
        /// A SYN passed natively because the host has a connection of this tuple.
        SynNative = 4 "syn_native",
        /// A connection was bound to the local gateway.
        BoundLocal = 5 "bound_local",
        /// A connection was bound to a peer.
        BoundPeer = 6 "bound_peer",
        /// The request was not understood and went to the local gateway.
        NotUnderstood = 7 "not_understood",
        /// The named function is unknown; it went to the local gateway.
        UnknownFunction = 8 "unknown_function",
        /// The plan had expired; the request went to the local gateway.
        PlanExpired = 9 "plan_expired",
        /// A backend refused and another was tried.
        Retried = 10 "retried",
        /// A backend kept silent and another was tried.
        Silent = 11 "silent",
        /// A SYN to a backend was sent again.
        SynResent = 12 "syn_resent",
        /// A saved segment was overwritten before it was sent; the client sends it again.
        SavedLost = 13 "saved_lost",
        /// An old connection in TIME_WAIT at a backend was reset to make room.
        TimeWaitReset = 14 "time_wait_reset",
        /// A client reused its tuple and the old flow was replaced.
        FlowReplaced = 15 "flow_replaced",
        /// A flow was freed.
        FlowFreed = 16 "flow_freed",
        /// Answered 429.
        Rejected429 = 17 "rejected_429",
        /// Answered 503.
        Rejected503 = 18 "rejected_503",
        /// A connection from a peer was accepted at the data port.
        PeerAccepted = 19 "peer_accepted",
        /// A keep-alive probe of a connection without data was answered.
        ProbeAnswered = 20 "probe_answered",
        /// More data was appended to a saved first segment.
        Appended = 21 "appended",
        /// A segment that neither a flow nor a cookie explains passed to the stack.
        PassedUnknown = 22 "passed_unknown",
        /// A source port was taken over from a finished flow.
        PortTakenOver = 23 "port_taken_over",
        /// No source port towards a peer was free; another target was tried.
        NoSourcePort = 24 "no_source_port",
        /// The limit of what is sent to a peer was spent; another target was tried.
        PeerSpent = 25 "peer_spent",
        /// A connection went on with the local gateway at a boundary between requests.
        MovedLocal = 26 "moved_local",
        /// A connection went on with a peer at a boundary between requests.
        MovedPeer = 27 "moved_peer",
        /// A request at a boundary stayed with the backend of the one before.
        Stayed = 28 "stayed",
        /// A connection can no longer move.
        Pinned = 29 "pinned",
        /// A connection that the host's own stack opened is followed.
        Observed = 30 "observed",
        /// A backend without a share took what exceeded the local limits.
        Overflowed = 31 "overflowed",
        /// An invocation was to be reported, but the ring of events was full.
        SampleLost = 32 "sample_lost",
        /// An ICMP error was translated for the end of a steered connection whose packet it quotes.
        IcmpTranslated = 33 "icmp_translated",
        /// A SYN to a backend was answered by an ICMP error, and another backend was tried.
        IcmpRefused = 34 "icmp_refused",
        /// A client was told by an ICMP error that its segment is too large for the way to its backend.
        TooBigAnswered = 35 "too_big_answered",
    }
}

numbered! {
    /// Why a kept connection can no longer move.
    PinReason, PIN_REASONS {
        /// A request whose end is not certain, which upgrades or waits for a word, or behind which more came at once.
        Request = 0 "request",
        /// Data beyond the end of a request, before its answer was complete.
        BeyondRequest = 1 "beyond_request",
        /// An answer whose head could not be read, or says no certain end.
        AnswerHead = 2 "answer_head",
        /// Data of a backend that fit no answer, or a chunk that could not be followed.
        Answer = 3 "answer",
    }
}

numbered! {
    /// What became of connections with a peer.
    PeerOutcome, PEER_OUTCOMES {
        /// It reset our SYN, or an ICMP error says that it cannot be reached.
        Refused = 0 "refused",
        /// It left our SYN unanswered until another backend was tried.
        Silent = 1 "silent",
        /// It reset a connection that it had accepted, before its own end of it was closed.
        Reset = 2 "reset",
        /// Its connection was accepted at the data port.
        Accepted = 3 "accepted",
        /// Its connection was above what is taken from it.
        Denied = 4 "denied",
    }
}

/// Counters of one peer, by [`PeerOutcome`]; with room for more of them.
pub type PeerCounts = [u64; 8];
const _: () = assert!(PEER_OUTCOMES as usize <= size_of::<PeerCounts>() / 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_names_unique() {
        let check = |numbers: Vec<u32>, names: Vec<&str>| {
            assert!(numbers.iter().enumerate().all(|(i, &n)| i as u32 == n));
            let mut unique = names.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), names.len());
        };
        check(
            DropReason::ALL.iter().map(|e| e.0 as u32).collect(),
            DropReason::ALL.iter().map(|e| e.1).collect(),
        );
        check(Event::ALL.iter().map(|e| e.0 as u32).collect(), Event::ALL.iter().map(|e| e.1).collect());
        check(
            PeerOutcome::ALL.iter().map(|e| e.0 as u32).collect(),
            PeerOutcome::ALL.iter().map(|e| e.1).collect(),
        );
        check(
            PinReason::ALL.iter().map(|e| e.0 as u32).collect(),
            PinReason::ALL.iter().map(|e| e.1).collect(),
        );
    }

    #[test]
    fn the_class_of_a_status_is_its_first_digit() {
        for status in 0..1000 {
            assert_eq!(class(status), status / 100);
        }
    }
}
