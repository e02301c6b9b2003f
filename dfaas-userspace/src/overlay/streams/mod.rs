//! Streams of beats as a behaviour of the swarm: opens those that are asked for, and hands over those that others
//! open.
//!
//! `libp2p-stream` does as much; but it keeps an entry for every connection for ever, has one waiting place for the
//! streams of all peers together, and dials by itself.

mod behaviour;
mod handler;

use libp2p::{Stream, StreamProtocol};

pub(super) use behaviour::{Behaviour, StreamEvent};

/// The protocol of beats.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/dfaas/beat/1");

/// What a connection has to tell.
#[derive(Debug)]
pub enum Happened {
    /// The peer opened a stream.
    Arrived(Stream),
    /// The stream that was asked for; `None`: the peer did not take it.
    Opened(Option<Stream>),
}

/// Asks a connection for a stream.
#[derive(Debug, Clone, Copy)]
pub struct Open;
