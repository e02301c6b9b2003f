//! Single invocations, as the programs report them: one event each, complete in itself, through a ring buffer.
//!
//! Whether an invocation is reported is decided when its request comes ([`crate::config::Config::sample`]), and it is
//! reported when it is over. The layout is that of [`crate::ABI_VERSION`], as those of the maps are.

use core::mem::offset_of;

use crate::address::{Endpoint, Tuple};
use crate::count::{LOCAL, REJECT, numbered};
use crate::flow::{Flow, mark};

/// Bytes of the ring buffer: some three thousand events, which the agent takes many times a second.
pub const RING_BYTES: u32 = 512 << 10;

numbered! {
    /// How the backend of an invocation was chosen.
    Way, WAYS {
        /// Drawn for the first request of a connection.
        First = 0 "first",
        /// Chosen after another backend had refused or kept silent.
        Retried = 1 "retried",
        /// A later request of a connection, with the backend of the one before.
        Stayed = 2 "stayed",
        /// A later request of a connection, which went on with another backend.
        Moved = 3 "moved",
        /// A request of a connection that the own gateway's stack has opened itself, and which stays there.
        Native = 4 "native",
        /// Given to the better of two candidates, because the wait here had grown too long or a limit was reached.
        Overflowed = 5 "overflowed",
    }
}

numbered! {
    /// What ended an invocation.
    End, ENDS {
        /// Its answer was complete.
        Answered = 0 "answered",
        /// It was answered here, with 429 or 503.
        Rejected = 1 "rejected",
        /// The backend closed the connection.
        Closed = 2 "closed",
        /// The client reset the connection.
        ClientReset = 3 "client_reset",
        /// The backend reset the connection.
        BackendReset = 4 "backend_reset",
        /// The gateway refused what is no invocation of a known function, and the client was told so.
        Refused = 5 "refused",
        /// Nothing came of it any more, or its connection's tuple was used again.
        Forgotten = 6 "forgotten",
    }
}

/// What is remembered of an invocation that is reported; a part of its flow.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noted {
    /// Monotonic time at which its request came, ns.
    pub asked: u64,
    /// Monotonic time of the first byte of the answer, ns; 0: none has come, or it was answered here.
    pub first_byte: u64,
    /// Monotonic time at which it was over, ns.
    pub over: u64,
    /// Bytes of payload towards the backend and towards the client that have been counted already.
    pub counted: [u64; 2],
    /// Status of the answer; 0: none could be read.
    pub status: u32,
    /// A [`Way`].
    pub way: u32,
    /// An [`End`].
    pub end: u32,
    /// [`mark`]s of its flow when it was over.
    pub marks: u32,
}

/// An invocation that is over: a part of its flow, word for word, as the program that reports it has to be short. Numbers
/// in host byte order unless said otherwise.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InvocationEvent {
    /// When and how.
    pub noted: Noted,
    /// Bytes of payload towards the backend and towards the client besides [`Noted::counted`].
    pub uncounted: [u64; 2],
    /// The client's connection: `remote` is who called, a user or a peer, and `local` where.
    pub client: Tuple,
    /// The leg, as [`Flow::backend`] has it.
    pub leg: Tuple,
    /// Function number; 0: no invocation of a known function.
    pub function: u32,
    /// Backend number as it is counted: [`LOCAL`], that of a peer, or [`REJECT`] if it was answered here.
    pub backend: u32,
    /// Backend number of the gateway that served it here, if that is not the own one; 0 otherwise.
    pub gateway: u32,
    /// Backend number of the peer that sent it; 0: a user of this node did.
    pub peer: u32,
}

// What makes one a part of the other.
const _: () = {
    assert!(offset_of!(InvocationEvent, noted) == 0);
    let at = offset_of!(Flow, noted);
    assert!(offset_of!(Flow, bytes) == at + offset_of!(InvocationEvent, uncounted));
    assert!(offset_of!(Flow, client) == at + offset_of!(InvocationEvent, client));
    assert!(offset_of!(Flow, backend) == at + offset_of!(InvocationEvent, leg));
    assert!(offset_of!(Flow, function) == at + offset_of!(InvocationEvent, function));
    assert!(offset_of!(Flow, backend_number) == at + offset_of!(InvocationEvent, backend));
    assert!(offset_of!(Flow, gateway) == at + offset_of!(InvocationEvent, gateway));
    assert!(offset_of!(Flow, peer) == at + offset_of!(InvocationEvent, peer));
};

impl InvocationEvent {
    /// The event of a flow.
    #[must_use]
    pub const fn of(flow: &Flow) -> Self {
        Self {
            noted: flow.noted,
            uncounted: flow.bytes,
            client: flow.client,
            leg: flow.backend,
            function: flow.function,
            backend: flow.backend_number,
            gateway: flow.gateway,
            peer: flow.peer,
        }
    }

    /// The event that an entry of the ring holds; `None` if that has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != size_of::<Self>() {
            return None;
        }
        // SAFETY: as many bytes as are read, and all bit patterns of plain numbers are values.
        Some(unsafe { bytes.as_ptr().cast::<Self>().read_unaligned() })
    }

    /// Bytes of payload towards the backend and towards the client, heads included; what was sent again counts again.
    #[must_use]
    pub const fn bytes(&self) -> [u64; 2] {
        let (counted, more) = (self.noted.counted, self.uncounted);
        [counted[0].wrapping_add(more[0]), counted[1].wrapping_add(more[1])]
    }

    /// Who has served it, or was to: a peer's data port or a gateway. Nobody, if it was answered here.
    #[must_use]
    pub const fn server(&self) -> Option<Endpoint> {
        if self.backend == REJECT {
            return None;
        }
        let far = self.backend != LOCAL || self.gateway != 0;
        Some(if far {
            Endpoint { address: self.leg.remote, port: self.leg.remote_port, padding: 0 }
        } else if self.peer != 0 {
            Endpoint { address: self.leg.local, port: self.leg.local_port, padding: 0 }
        } else {
            Endpoint { address: self.client.local, port: self.client.local_port, padding: 0 }
        })
    }

    /// Whether the ends of messages on its connection are not certain, so that all that followed on it is part of it.
    #[must_use]
    pub const fn pinned(&self) -> bool {
        self.noted.marks as u64 & mark::PINNED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layouts_have_no_hidden_padding() {
        assert_eq!(size_of::<Noted>(), 5 * 8 + 4 * 4);
        assert_eq!(size_of::<InvocationEvent>(), 56 + 2 * 8 + 2 * 36 + 4 * 4);
    }

    #[test]
    fn the_ring_is_a_power_of_two_of_whole_pages_on_every_machine() {
        assert!(RING_BYTES.is_power_of_two() && RING_BYTES >= 64 << 10);
    }

    #[test]
    fn numbers_are_dense_and_names_unique() {
        for (names, numbers) in [
            (Way::ALL.iter().map(|w| w.1).collect::<Vec<_>>(), Way::ALL.iter().map(|w| w.0 as u32).collect()),
            (End::ALL.iter().map(|e| e.1).collect(), End::ALL.iter().map(|e| e.0 as u32).collect::<Vec<_>>()),
        ] {
            assert!(numbers.iter().enumerate().all(|(i, n)| i as u32 == *n));
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len());
        }
    }
}
