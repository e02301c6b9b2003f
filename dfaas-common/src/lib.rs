//! What the kernel programs and user space agree on.
//!
//! Two kinds of things live here: the layouts of map keys and values (`repr(C)`, explicit padding, no `bool`, no
//! `Option`, byte order said at each field), and the arithmetic that is done on every packet. All of it is pure: time,
//! random numbers and memory come in as arguments, so that the same code runs in the kernel, in tests and in the
//! simulator.
//!
//! A change of any layout here must raise [`ABI_VERSION`].
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

pub mod address;
pub mod bucket;
pub mod checksum;
pub mod choice;
pub mod config;
pub mod cookie;
pub mod count;
pub mod event;
pub mod first_byte;
pub mod flow;
pub mod forwarded;
pub mod http;
pub mod icmp;
pub mod opaque;
pub mod options;
pub mod pick;
pub mod plan;
pub mod reject;
pub mod request;
pub mod steps;
pub mod translate;
#[cfg(not(target_arch = "bpf"))]
pub mod units;
#[cfg(feature = "user")]
mod user;

/// Version of the map layouts. It is a part of the pin path and stands in [`config::Config`]; programs and agents of
/// different versions never share maps.
pub const ABI_VERSION: u32 = 5;

/// Most functions that a node knows at one time; the index 0 stands for "no known function".
pub const MAX_FUNCTIONS: u32 = 1024;

/// Most peers that a node knows at one time; backend numbers are 1 to this.
pub const MAX_PEERS: u32 = 64;

/// Most gateways beside the node's own that it knows at one time; their backend numbers follow those of peers.
pub const MAX_GATEWAYS: u32 = 16;

/// Number of backend numbers: the own gateway, peers, other gateways.
pub const BACKENDS: u32 = 1 + MAX_PEERS + MAX_GATEWAYS;

/// Mark on packets that our own programs have sent round or redirected: the next program lets them pass.
pub const MARK: u32 = 0xdf5a_0001;
