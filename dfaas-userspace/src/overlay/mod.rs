//! The peer-to-peer overlay: agents find each other and tell each other, over authenticated streams, what they need to
//! share work. It carries beats and judges senders; what beats mean is the agent's affair.

mod api;
mod beat;
pub mod identity;
mod psk;
mod wire;

pub use api::{Event, Link, Offence, Order, Overlay, Status};
pub use beat::{Beat, Card, Nonce};
pub use psk::parse as parse_swarm_key;
