//! Working memory of one program run, one a CPU. Map memory, because the stack has 512 bytes, and because the verifier
//! does not follow values through it: loops over packet bytes stay cheap to verify.
//!
//! Never re-entered: programs run with bottom halves off, and packets that we send from inside a program carry the
//! mark that lets them pass before this memory is touched.

use dfaas_common::address::Tuple;
use dfaas_common::options::{HeaderImage, Options};
use dfaas_common::request::{LOOK, RequestLine};

/// Bytes of a segment that can be looked at.
pub const LOOK_BYTES: usize = 256;
const _: () = assert!(LOOK as usize <= LOOK_BYTES);

/// A received segment; numbers in host byte order.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Segment {
    /// The connection: on egress with source and destination exchanged, so that `local` is always this node.
    pub tuple: Tuple,
    /// Source address, network byte order.
    pub source: u32,
    /// Destination address, network byte order.
    pub destination: u32,
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
    /// Source address, network byte order.
    pub source: u32,
    /// Destination address, network byte order.
    pub destination: u32,
    /// Source port, network byte order.
    pub source_port: u16,
    /// Destination port, network byte order.
    pub destination_port: u16,
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

/// All of it.
#[repr(C, align(8))]
pub struct Scratch {
    /// Time of this run, ns.
    pub now: u64,
    /// The segment at hand.
    pub segment: Segment,
    /// Where its options are.
    pub options: Options,
    /// IPv4 and TCP header being read or built.
    pub frame: [u32; 16],
    /// TCP header as received.
    pub received: HeaderImage,
    /// TCP header as it is to be.
    pub image: HeaderImage,
    /// A segment to be sent.
    pub outgoing: Outgoing,
    /// The request line.
    pub line: RequestLine,
    /// First bytes of the payload.
    pub look: [u8; LOOK_BYTES],
    /// Which hook this run is in: [`super::skb::hook`].
    pub hook: u32,
    /// Zero.
    pub padding: u32,
}
