//! Working memory of one program run, one a CPU. Map memory, because the stack has 512 bytes, and because the verifier
//! does not follow values through it: loops over packet bytes stay cheap to verify.
//!
//! Never re-entered: programs run with bottom halves off, and packets that we send from inside a program carry the
//! mark that lets them pass before this memory is touched.

use dfaas_common::address::{Ends, Tuple};
use dfaas_common::forwarded::Line;
use dfaas_common::http::look::Look;
use dfaas_common::http::request::{RequestFacts, RequestHead};
use dfaas_common::http::response::ResponseHead;
use dfaas_common::options::{HeaderImage, Options};

/// How the packet at hand is framed; kept true while it is changed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    /// Offset of the IP header.
    pub l3: u32,
    /// Offset of the TCP or ICMP header.
    pub l4: u32,
    /// 1: IPv6, 0: IPv4.
    pub v6: u32,
    /// How many VLAN tags stand in the data; a further one may lie beside it.
    pub inline: u32,
    /// Protocol of a whole packet that is no TCP segment; 0 of any other.
    pub protocol: u32,
    /// VLAN tags, outermost first, as [`dfaas_common::flow::Flow::tags`] has them.
    pub tags: [u32; 2],
}

/// A received segment; numbers in host byte order.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Segment {
    /// The connection: on egress with source and destination exchanged, so that `local` is always this node.
    pub tuple: Tuple,
    /// Source and destination as they stand in the packet.
    pub ends: Ends,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// Bytes of TCP header.
    pub header: u32,
    /// Bytes of payload.
    pub payload: u32,
    /// Flags.
    pub flags: u32,
    /// Window field.
    pub window: u32,
}

/// A segment to be sent, built from nothing by `emit::emit`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Outgoing {
    /// Source and destination; they tell the family too.
    pub ends: Ends,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// Bytes of TCP header: 20, 32 or 40.
    pub header: u32,
    /// Flags.
    pub flags: u32,
    /// Window field.
    pub window: u32,
    /// Bytes of payload.
    pub payload: u32,
    /// One's complement sum of the payload.
    pub payload_sum: u32,
    /// Options, network byte order.
    pub options: [u32; 5],
}

/// An ICMP error, received or to be sent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Report {
    /// Ends of the segment that it quotes; they tell the family of both.
    pub quoted: Ends,
    /// Sequence number of that segment.
    pub sequence: u32,
    /// Bytes of TCP header and payload that it had.
    pub length: u32,
    /// Hop limit, or time to live, that it had left.
    pub hops: u32,
    /// Type.
    pub kind: u32,
    /// Code.
    pub code: u32,
    /// MTU of the link, if the segment was too big for it; else 0.
    pub mtu: u32,
}

/// A leg that a connection leaves.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OldLeg {
    /// Ends of a packet to its backend.
    pub ends: Ends,
    /// Its entry in the flow.
    pub tuple: Tuple,
    /// Number of the backend, as it is counted.
    pub backend: u32,
    /// As `leg::far` gives it; [`NO_LEG`]: there was none.
    pub far: u32,
    /// See [`dfaas_common::flow::Flow::shift`].
    pub shift: u32,
}

/// No backend has this number.
pub const NO_LEG: u32 = u32::MAX;

/// All of it.
#[repr(C, align(8))]
pub struct Scratch {
    /// Time of this run, ns.
    pub now: u64,
    /// How the packet at hand is framed.
    pub frame: Frame,
    /// The segment at hand.
    pub segment: Segment,
    /// Where its options are.
    pub options: Options,
    /// IP and TCP header being read or built.
    pub headers: [u32; 26],
    /// TCP header as received.
    pub received: HeaderImage,
    /// TCP header as it is to be.
    pub image: HeaderImage,
    /// Source and destination that the packet at hand is to get.
    pub hop: Ends,
    /// A segment to be sent.
    pub outgoing: Outgoing,
    /// An ICMP error.
    pub report: Report,
    /// First bytes of the payload.
    pub look: Look,
    /// The reader of a request.
    pub request: RequestHead,
    /// What it has read.
    pub facts: RequestFacts,
    /// The reader of an answer.
    pub response: ResponseHead,
    /// The leg that a connection had before the request at hand.
    pub old: OldLeg,
    /// A line to be inserted, see [`dfaas_common::forwarded`].
    pub line: Line,
    /// Function number of the request at hand.
    pub function: u32,
    /// Work of the request at hand: [`dfaas_common::plan::Plan::work`].
    pub work: u32,
    /// Which hook this run is in: [`super::skb::hook`].
    pub hook: u32,
    /// Index of the flow at hand, for the program that is jumped to and for the choice.
    pub number: u32,
}
