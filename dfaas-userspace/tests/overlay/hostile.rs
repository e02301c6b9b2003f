//! Peers that speak the protocols as they like.

use std::time::Duration;

use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::identity::Keypair;
use libp2p::swarm::{self, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, identify, ping};
use libp2p_stream::{Control, IncomingStreams};
use tokio::task::JoinHandle;

use dfaas_userspace::overlay;

use crate::gate::Gate;
use crate::harness::memory_port;

/// A peer without any of the overlay's code, connected to one node.
pub struct Hostile {
    pub id: PeerId,
    victim: PeerId,
    control: Control,
    task: JoinHandle<()>,
}

#[derive(NetworkBehaviour)]
#[behaviour(prelude = "libp2p::swarm::derive_prelude")]
struct Raw {
    stream: libp2p_stream::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

impl Hostile {
    /// Connects to a node, and again whenever it is disconnected.
    pub async fn connect(gate: &Gate, victim: &(PeerId, Multiaddr)) -> Self {
        let key = Keypair::generate_ed25519();
        let id = key.public().to_peer_id();
        let transport = overlay::authenticated(gate.transport(memory_port()), &key).expect("a good key");
        let behaviour = Raw {
            stream: libp2p_stream::Behaviour::new(),
            identify: identify::Behaviour::new(identify::Config::new("/x".to_owned(), key.public())),
            ping: ping::Behaviour::default(),
        };
        let control = behaviour.stream.new_control();
        let config =
            swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
        let mut swarm = Swarm::new(transport, behaviour, id, config);
        swarm.dial(victim.1.clone()).expect("an address that can be dialled");
        let address = victim.1.clone();
        let (first, connected) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut first = Some(first);
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => {
                        first.take().map(|first| first.send(()));
                    }
                    SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        let _ = swarm.dial(address.clone());
                    }
                    _ => {}
                }
            }
        });
        connected.await.expect("the node takes the connection");
        Self { id, victim: victim.0, control, task }
    }

    /// A stream of beats to the victim.
    pub async fn stream(&mut self) -> Stream {
        self.open(overlay::PROTOCOL).await
    }

    pub async fn open(&mut self, protocol: StreamProtocol) -> Stream {
        self.try_open(protocol).await.expect("the node takes the stream")
    }

    pub async fn try_open(&mut self, protocol: StreamProtocol) -> Option<Stream> {
        let opened = self.control.open_stream(self.victim, protocol);
        tokio::time::timeout(Duration::from_secs(5), opened).await.ok()?.ok()
    }

    /// Takes streams of beats, so that the victim has a link; they are not read.
    pub fn accept(&mut self) -> IncomingStreams {
        self.control.accept(overlay::PROTOCOL).expect("accepted once")
    }

    /// Has a link with the victim: the stream to it, and that from it.
    pub async fn link(&mut self) -> (Stream, Stream, IncomingStreams) {
        let mut incoming = self.accept();
        let out = self.stream().await;
        let (_, back) = incoming.next().await.expect("the swarm lives");
        (out, back, incoming)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes as long as the node takes it, at most so many bytes; how many it took before it stopped for half a second or
/// for good.
pub async fn pour(stream: &mut Stream, bytes: &[u8], most: usize) -> usize {
    let mut taken = 0;
    while taken < most {
        let from = taken % bytes.len();
        match tokio::time::timeout(Duration::from_millis(500), stream.write(&bytes[from..])).await {
            Ok(Ok(count)) if count > 0 => taken += count,
            _ => break,
        }
    }
    taken
}

/// Whether the node has closed a stream.
pub async fn is_closed(stream: &mut Stream) -> bool {
    let mut byte = [0; 1];
    matches!(stream.read(&mut byte).await, Ok(0) | Err(_))
}
