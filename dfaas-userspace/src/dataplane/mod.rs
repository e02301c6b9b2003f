//! The lower half of the agent: the kernel programs, their maps, and the one writer of those maps.
//!
//! The upper half (control loop, discovery, admin) knows only [`DataPlane`], so it is tested with a double.

mod api;
mod asked;
mod attach;
mod backend;
mod bpffs;
mod convert;
mod destroy;
mod ethtool;
mod explain;
mod forget;
mod front;
mod functions;
mod gateways;
mod kernel;
mod link;
mod loopback;
mod mode;
mod netdev;
mod nic;
mod numbers;
mod object;
mod open;
mod packet_log;
mod peers;
mod places;
mod ring;
mod route;
mod seen;
mod segment;
mod snapshot;
mod sysctl;
mod waits;

pub use api::{
    Admission, CLASS_NAMES, DataPlane, DataPlaneError, Drops, FIRST_BYTE_BOUNDS, FirstByte, Function,
    FunctionPlan, Gateway, Inflight, Invocations, Left, Moves, OWN_GATEWAY, Origin, Peer, PeerCounters,
    PickMode, Pins, Settings, Snapshot, Target, Wait, Waits,
};
pub(crate) use bpffs::versioned;
#[cfg(test)]
pub(crate) use convert::plan as map_entry;
pub use explain::{Explanation, Outcome, Question, Step};
pub use kernel::Kernel;
pub(crate) use link::{Link, Links};
pub(crate) use mode::decide;
pub use mode::{Attachment, Mode};
pub(crate) use nic::Nic;
pub use object::Object;
pub use open::{open, open_kernel, unload};
pub(crate) use places::own_addresses;
pub(crate) use route::lookup as route_to;
pub use seen::{FlowView, Seen, Taken};
