//! The programs that the entry programs jump to (`bpf_tail_call`). Each begins with an empty stack and is verified by
//! itself.

/// Names of the programs, by index in the map of programs.
pub const STEPS: &[&str] = &[
    "dfaas_first",
    "dfaas_next",
    "dfaas_request",
    "dfaas_response",
    "dfaas_peer",
    "dfaas_resend",
    "dfaas_cut",
    "dfaas_icmp",
    "dfaas_too_big",
];

/// The first data of a connection: the choice.
pub const FIRST: u32 = 0;
/// A backend refused or kept silent: the next one.
pub const NEXT: u32 = 1;
/// A request on a connection that has a backend already: stay or move.
pub const REQUEST: u32 = 2;
/// An answer, or a chunk of one, that must be read.
pub const RESPONSE: u32 = 3;
/// A packet to the data port that belongs to no connection: admission.
pub const PEER: u32 = 4;
/// The first segment of a leg comes again, and a line was inserted into it.
pub const RESEND: u32 = 5;
/// The end of one request and the start of the next in one segment: only the end passes.
pub const CUT: u32 = 6;
/// An ICMP message: an error of a steered connection is translated, or acted on.
pub const ICMP: u32 = 7;
/// A segment of a client that is too large for the way to its backend: the client is told.
pub const TOO_BIG: u32 = 8;
