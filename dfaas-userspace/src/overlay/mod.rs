//! The peer-to-peer overlay: agents find each other and tell each other, over authenticated streams, what they need to
//! share work. It carries beats and judges senders; what beats mean is the agent's affair.
//!
//! [`start`] binds and spawns one task (`task.rs`; what it does is in `on_swarm.rs`, `connected.rs` and `upkeep.rs`).
//! Decisions are made by types without I/O, to which time and chance are arguments: whom to be linked with
//! (`dfaas_control::Neighbourhood`), how a link stands (`links.rs`), whom to call (`book.rs`), what is known of nodes
//! (`records.rs`), who is shut out (`standing.rs`), how much one peer may send (`meter.rs`).

mod address;
mod api;
mod backoff;
mod bars;
mod beat;
mod behaviour;
mod book;
mod bucket;
mod connected;
mod error;
mod exchange;
pub mod identity;
mod links;
mod membership;
mod memory;
mod meter;
mod neighbours;
mod observed;
mod on_swarm;
mod outbox;
mod probe;
mod psk;
pub mod record;
mod records;
mod settings;
mod standing;
mod start;
mod stream_in;
mod stream_out;
mod streams;
mod task;
mod traffic;
mod transport;
mod upkeep;
pub mod wire;

pub use api::{Event, Link, Offence, Order, Overlay, Status};
pub use beat::{Beat, Card, Nonce};
pub use behaviour::KAD;
pub use error::OverlayError;
pub use exchange::Exchange;
pub use links::MAX_LINKS;
pub use psk::parse as parse_swarm_key;
pub use settings::{Settings, Timing};
pub use start::{start, start_over};
pub use streams::PROTOCOL;
pub use transport::{Authenticated, authenticated};
