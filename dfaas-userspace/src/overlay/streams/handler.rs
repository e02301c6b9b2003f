use std::collections::VecDeque;
use std::task::{Context, Poll};

use libp2p::StreamProtocol;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};

use super::{Happened, Open, PROTOCOL};

/// Most events of a connection that wait to be told. Streams that come while so many wait are closed.
const MOST_WAITING: usize = 4;

/// One connection.
#[derive(Debug, Default)]
pub struct Handler {
    /// Whether a stream is to be asked for, and whether one is being negotiated.
    asked: bool,
    negotiating: bool,
    waiting: VecDeque<Happened>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Happened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn on_behaviour_event(&mut self, Open: Open) {
        self.asked = true;
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Happened>> {
        if let Some(happened) = self.waiting.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(happened));
        }
        if self.asked && !self.negotiating {
            (self.asked, self.negotiating) = (false, true);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()),
            });
        }
        // Both are set by events of the connection, after which it polls again.
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: stream, .. })
                if self.waiting.len() < MOST_WAITING =>
            {
                self.waiting.push_back(Happened::Arrived(stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream, ..
            }) => {
                self.negotiating = false;
                self.waiting.push_back(Happened::Opened(Some(stream)));
            }
            ConnectionEvent::DialUpgradeError(_) => {
                self.negotiating = false;
                self.waiting.push_back(Happened::Opened(None));
            }
            _ => {}
        }
    }
}
