//! The lower half of the agent: the kernel programs, their maps, and the one writer of those maps.
//!
//! The upper half (control loop, discovery, admin) knows only [`DataPlane`], so it is tested with a double.

mod api;
mod bpffs;
mod convert;
mod destroy;
mod forget;
mod kernel;
mod numbers;
mod object;
mod open;
mod packet_log;
mod peers;
mod route;
mod snapshot;
mod sysctl;

pub use api::{
    Admission, DataPlane, DataPlaneError, Drops, FIRST_BYTE_BOUNDS, FirstByte, Function, FunctionPlan,
    Inflight, Invocations, Left, Origin, Peer, PeerCounters, PickMode, Settings, Snapshot, Target,
};
pub use kernel::Kernel;
pub use object::Object;
pub use open::{open, open_kernel, unload};
