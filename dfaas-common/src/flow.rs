//! The flow table: one entry a steered connection.

use crate::address::Tuple;
use crate::event::Noted;
use crate::http::exchange::Exchange;

/// States of a flow. Every change is a compare-and-swap on [`Flow::state`], and only the winner counts.
pub mod state {
    /// Not in use; its index is in the queue of free ones.
    pub const FREE: u64 = 0;
    /// Taken from the queue, being filled or moved by one CPU.
    pub const CLAIMED: u64 = 1;
    /// The SYN to the backend is out; the client's first segment is saved.
    pub const OPENING: u64 = 2;
    /// Both ends are connected and packets are translated.
    pub const ESTABLISHED: u64 = 3;
    /// Answered here; kept so that retransmissions get the same answer.
    pub const REJECTED: u64 = 4;
    /// From a peer to the local gateway: only addresses and ports change.
    pub const FORWARDED: u64 = 5;
    /// Being freed.
    pub const DEAD: u64 = 6;
}

/// Bits of [`Flow::marks`], set and cleared atomically.
pub mod mark {
    /// The client (or peer) has sent its FIN.
    pub const CLIENT_FIN: u64 = 1;
    /// The backend has sent its FIN.
    pub const BACKEND_FIN: u64 = 2;
    /// Either side has sent RST.
    pub const RESET: u64 = 4;
    /// The flow counts in the gauge of bound connections; whoever clears the bit decrements it.
    pub const COUNTED: u64 = 8;
    /// The flow counts among those bound now of the peer that sent it; whoever clears the bit decrements it.
    pub const ADMITTED: u64 = 32;
    /// No boundary between requests is certain any more: the connection keeps its backend.
    pub const PINNED: u64 = 64;
    /// The connection was opened by the own gateway's stack itself, and nothing of it is translated.
    pub const NATIVE: u64 = 128;
    /// The invocation that the flow carries is reported when it is over; whoever clears the bit reports it.
    pub const SAMPLED: u64 = 256;
}

/// Which end of a flow a tuple belongs to.
pub mod side {
    /// The client, or the peer at the data port.
    pub const CLIENT: u32 = 0;
    /// The backend: a peer's data port, or the local gateway answering a peer.
    pub const BACKEND: u32 = 1;
}

/// Value of the map from tuples to flows.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRef {
    /// Index in the flow table.
    pub index: u32,
    /// One of [`side`].
    pub side: u32,
}

/// A flow. Numbers are in host byte order unless said otherwise; the kernel programs are the only writers.
///
/// Its *leg* is the connection to the backend. Numbers of the client are carried on, so that only the other direction
/// needs a difference; where a header line was inserted, those behind it are higher on the leg by [`Flow::shift`].
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// One of [`state`].
    pub state: u64,
    /// Bits of [`mark`].
    pub marks: u64,
    /// Monotonic time of the last packet, ns.
    pub last_seen: u64,
    /// Monotonic time of the first packet, ns.
    pub born: u64,
    /// Monotonic time of the first SYN to the present backend, or of a peer's request, ns; 0 once the first byte of
    /// the answer has come.
    pub asked: u64,
    /// Where requests and answers begin and end.
    pub exchange: Exchange,
    /// What is remembered of the invocation at hand while [`mark::SAMPLED`] is set.
    pub noted: Noted,
    /// Bytes of payload towards the backend and towards the client that are not counted yet.
    pub bytes: [u64; 2],
    /// The client's connection: `remote` is the client, `local` a listen address, or the data port.
    pub client: Tuple,
    /// The leg: `remote` is the peer's data port or another gateway, `local` our source. For the own gateway it is unused
    /// if a user is the client, as the gateway sees the user itself; if a peer is, then `remote` is the peer and `local`
    /// the gateway.
    pub backend: Tuple,
    /// Function number.
    pub function: u32,
    /// Backend number as it is counted: [`crate::count::LOCAL`] for every gateway of this node.
    pub backend_number: u32,
    /// Backend number of the gateway that serves it here, if it is not the own one; 0 otherwise.
    pub gateway: u32,
    /// Backend number of the peer that sent the connection; 0: a user did.
    pub peer: u32,
    /// Bits of [`crate::choice::tried`].
    pub tried: u32,
    /// Work (us) as which it counts at its backend, see [`crate::config::Load`].
    pub work: u32,
    /// SYNs sent to the present backend.
    pub syns: u32,
    /// The client's sequence number before the first byte of the present leg: its initial one there.
    pub client_isn: u32,
    /// What the client sees as the sequence number before the leg's first byte; of the first leg, our cookie.
    pub cookie: u32,
    /// Backend's sequence numbers minus those that the client sees.
    pub sequence_delta: u32,
    /// Bytes that were inserted into what the client has sent on this leg.
    pub shift: u32,
    /// The client-visible clock minus the backend's clock (TSval units: ms).
    pub backend_clock: u32,
    /// The client-visible clock minus the node's clock, as new legs begin with it; it only grows.
    pub visible_clock: u32,
    /// The node's clock minus the client's clock; 0 where the backend is to see the client's own.
    pub client_clock: u32,
    /// TSval of the backend's SYN-ACK.
    pub backend_time: u32,
    /// TSval of the client's first segment.
    pub client_time: u32,
    /// Sequence number after the highest that the client has sent.
    pub client_next: u32,
    /// The highest acknowledgment of the backend, in the client's numbers.
    pub backend_acked: u32,
    /// The node's clock minus the client's, as it was when the present leg was asked for.
    pub node_clock: u32,
    /// Slot that holds the saved first segment.
    pub slot: u32,
    /// Serial number of the slot when it was filled.
    pub slot_serial: u32,
    /// Bytes saved.
    pub saved: u32,
    /// Where in what is saved the first header line begins, if a line may be inserted there; 0: it may not.
    pub headers_at: u32,
    /// Interface where the client's packets come in.
    pub interface: u32,
    /// Interface where the leg's packets come in; 0 for the own gateway.
    pub leg_interface: u32,
    /// Bytes of a rejected request that were discarded.
    pub discarded: u32,
    /// 429 or 503 of a rejected connection.
    pub status: u32,
    /// VLAN tags of the client's frames, outermost first: EtherType in the upper half, tag control information in the
    /// lower; 0: none.
    pub tags: [u32; 2],
    /// Segment size offered by the client.
    pub segment_size: u16,
    /// Window field of the client's first segment.
    pub client_window: u16,
    /// Window scale of the client, or [`crate::cookie::NO_SCALE`].
    pub client_scale: u8,
    /// Window scale of the backend, or [`crate::cookie::NO_SCALE`].
    pub backend_scale: u8,
    /// Window scale that the client was told; it matters only if the client has one itself.
    pub told_scale: u8,
    /// 1: both sides use timestamps.
    pub timestamps: u8,
    /// 1: SACK is permitted.
    pub sack: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// Destination and source hardware address of frames to the client.
    pub hardware: [u8; 12],
    /// The same of frames on the leg, as the last that came in had them turned round.
    pub leg_hardware: [u8; 12],
}

const SECOND: u64 = 1_000_000_000;

/// How long (ns) a flow may be without packets before it is freed.
///
/// Open and half-open times are those of RFC 5382 (REQ-5: 2 h 4 min and 4 min), but after the backend's FIN it is the
/// minute for which Linux keeps such a connection (`tcp_fin_timeout`): a client's reset may have been lost. Finished
/// connections stay only long enough to carry a lost last acknowledgment: their ports and entries are needed again.
#[inline(always)]
#[must_use]
pub const fn patience(state: u64, marks: u64) -> u64 {
    let fins = marks & (mark::CLIENT_FIN | mark::BACKEND_FIN);
    match state {
        state::OPENING | state::CLAIMED => 20 * SECOND,
        state::REJECTED => {
            if fins & mark::CLIENT_FIN != 0 {
                2 * SECOND
            } else {
                60 * SECOND
            }
        }
        _ if marks & mark::RESET != 0 => SECOND,
        _ if fins == mark::CLIENT_FIN | mark::BACKEND_FIN => 5 * SECOND,
        _ if fins == mark::BACKEND_FIN => 60 * SECOND,
        _ if fins != 0 => 240 * SECOND,
        _ => 7440 * SECOND,
    }
}

/// How long (ns) the entry of a finished connection is kept while the table is nearly full: in this time whatever was lost
/// at its end has been sent again, and was seen.
pub const PATIENCE_WHEN_CROWDED: u64 = SECOND;

/// Whether the connection is over, so that its tuple, port and entry may be taken over by a new one.
#[inline(always)]
#[must_use]
pub const fn finished(marks: u64) -> bool {
    let fins = mark::CLIENT_FIN | mark::BACKEND_FIN;
    marks & mark::RESET != 0 || marks & fins == fins
}

/// What is remembered of a connection that the host's own stack opens, from its SYN and the answer: enough to give it
/// another backend later. All numbers in host byte order.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Greeting {
    /// The client's initial sequence number.
    pub client_isn: u32,
    /// The stack's.
    pub server_isn: u32,
    /// The stack's clock minus the node's; 0 without timestamps.
    pub clock: u32,
    /// Segment size offered by the client.
    pub segment_size: u16,
    /// Window scale of the client, or [`crate::cookie::NO_SCALE`].
    pub client_scale: u8,
    /// Window scale of the stack, or [`crate::cookie::NO_SCALE`].
    pub server_scale: u8,
    /// 1: SACK is permitted.
    pub sack: u8,
    /// 1: both sides use timestamps.
    pub timestamps: u8,
    /// 1: the stack has answered.
    pub answered: u8,
    /// Zero.
    pub padding: u8,
}

/// Bytes of a slot. Offset and length of what is copied are each masked to 11 bits, so twice that always fits.
pub const SLOT_BYTES: usize = 4096;
/// Number of slots; they are used in turn, so a saved segment is lost only if this many others came meanwhile.
pub const SLOTS: u32 = 4096;

/// A saved first segment.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Slot {
    /// The payload, followed by at least three zeros.
    pub bytes: [u8; SLOT_BYTES],
    /// Changes whenever the slot gets a new owner.
    pub serial: u32,
    /// Zero.
    pub padding: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_has_no_hidden_padding() {
        let parts = size_of::<Noted>() + size_of::<Exchange>();
        assert_eq!(size_of::<Flow>(), 7 * 8 + parts + 2 * 36 + 29 * 4 + 4 + 8 + 24);
        assert_eq!(size_of::<Flow>() % 8, 0);
        assert_eq!(size_of::<Slot>(), SLOT_BYTES + 8);
    }

    #[test]
    fn a_reset_or_finished_connection_is_forgotten_in_seconds_and_an_idle_one_is_not() {
        let both = mark::CLIENT_FIN | mark::BACKEND_FIN;
        assert!(patience(state::ESTABLISHED, mark::RESET) <= SECOND);
        assert!(patience(state::ESTABLISHED, both) <= 10 * SECOND);
        assert!(patience(state::ESTABLISHED, mark::CLIENT_FIN) >= 240 * SECOND);
        assert_eq!(patience(state::ESTABLISHED, mark::BACKEND_FIN), 60 * SECOND);
        assert!(patience(state::FORWARDED, 0) >= 7440 * SECOND);
        assert_eq!(patience(state::REJECTED, 0), 60 * SECOND);
        assert!(finished(both) && finished(mark::RESET) && !finished(mark::CLIENT_FIN));
    }
}
