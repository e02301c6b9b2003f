//! The lab: whole federations on one machine, for demonstrations and end-to-end tests.
//!
//! A [`Lab`] is a set of network namespaces: one for each node, one for the users beside each node, and a switch
//! between the nodes. A [`Node`] runs the gateway and the agent of one node in there, [`load`] calls functions as
//! users do. All that a lab makes is removed when it is dropped, when the program is interrupted or panics, and, if
//! the program was killed, when the next lab starts.

mod asking;
pub mod bench;
mod cleanup;
pub mod driver;
mod family;
pub mod federation;
pub mod firewall;
pub mod http;
pub mod invocation;
mod ip;
mod lab;
pub mod load;
mod names;
mod namespace;
mod node;
mod offloads;
mod overlay_settings;
pub mod policy;
mod process;
pub mod proxy;
mod registry;
pub mod relay;
pub mod replay;
pub mod settings;
pub mod statistics;
mod wait;

pub use family::Family;
pub use lab::{Lab, Topology};
pub use names::{
    container_address, container_address6, node_address, node_address6, peer_address, peer_address6,
    user_address, user_address6,
};
pub use namespace::Namespace;
pub use node::{Node, dfaas_binary};
pub use offloads::Offloads;
pub use process::Process;
pub use wait::eventually;
