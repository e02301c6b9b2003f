use std::collections::VecDeque;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};

use super::handler::Handler;
use super::{Happened, Open};

/// What happened to a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// A peer opened one.
    Arrived {
        /// Who.
        peer: PeerId,
        /// The connection that it came by.
        connection: ConnectionId,
        /// The stream.
        stream: Stream,
    },
    /// One that was asked for.
    Opened {
        /// To whom.
        peer: PeerId,
        /// The connection.
        connection: ConnectionId,
        /// The stream; `None`: it could not be opened.
        stream: Option<Stream>,
    },
}

/// The streams of beats of all connections. Events wait in the connections, where there is little room, not here:
/// the swarm takes each before it asks a connection for the next.
#[derive(Debug, Default)]
pub struct Behaviour {
    events: VecDeque<ToSwarm<StreamEvent, Open>>,
}

impl Behaviour {
    /// Asks for a stream to a connected peer. If the connection closes meanwhile, no answer comes.
    pub fn open(&mut self, peer: PeerId) {
        self.ask(peer, NotifyHandler::Any);
    }

    /// The same by this connection.
    pub fn open_by(&mut self, peer: PeerId, connection: ConnectionId) {
        self.ask(peer, NotifyHandler::One(connection));
    }

    fn ask(&mut self, peer_id: PeerId, handler: NotifyHandler) {
        self.events.push_back(ToSwarm::NotifyHandler { peer_id, handler, event: Open });
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        happened: THandlerOutEvent<Self>,
    ) {
        let event = match happened {
            Happened::Arrived(stream) => StreamEvent::Arrived { peer, connection, stream },
            Happened::Opened(stream) => StreamEvent::Opened { peer, connection, stream },
        };
        self.events.push_back(ToSwarm::GenerateEvent(event));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<StreamEvent, THandlerInEvent<Self>>> {
        // Events are added by calls of the swarm's owner and of the swarm, after both of which it polls again.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
