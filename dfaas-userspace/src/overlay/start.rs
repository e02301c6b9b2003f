use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, Swarm, TransportError, swarm};
use tokio::sync::{mpsc, watch};

use super::address;
use super::api::{Overlay, Status};
use super::behaviour::Behaviour;
use super::error::OverlayError;
use super::outbox::Outbox;
use super::probe::Probe;
use super::settings::Settings;
use super::task::Task;
use super::transport::{self, Authenticated};

/// Events that wait for the agent.
const EVENTS: usize = 256;
/// Orders that wait for the overlay.
const ORDERS: usize = 256;
/// Time after which a connection without a stream of beats is closed.
const IDLE: Duration = Duration::from_secs(10);

/// Starts the overlay of the node with this key over TCP and QUIC. Everything is bound when it returns; the task behind
/// it ends when the orders' sender is dropped, after what was ordered last was sent.
///
/// # Errors
/// If an address is in use, or if something else that is needed cannot be had. Nothing was sent then.
pub async fn start(settings: Settings, key: Keypair) -> Result<Overlay, OverlayError> {
    let transport = transport::network(&key, settings.psk, settings.allows_quic())
        .map_err(|cause| OverlayError::Key(cause.to_string()))?;
    start_over(settings, key, transport).await
}

/// As [`start`], over another transport, as tests have it.
///
/// # Errors
/// As [`start`].
pub async fn start_over(
    settings: Settings,
    key: Keypair,
    transport: Authenticated,
) -> Result<Overlay, OverlayError> {
    let own = key.public().to_peer_id();
    warn(&settings);
    let behaviour = Behaviour::new(&key, &settings.allow, settings.mdns, settings.timing.ping);
    let behaviour = behaviour.map_err(OverlayError::Mdns)?;
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
    let mut swarm = Swarm::new(transport, behaviour, own, config);
    let mut listening = 0;
    for address in &settings.listen {
        if is_quic(address) && !settings.allows_quic() {
            tracing::warn!("{address} is left out: the swarm key does not guard QUIC; overlay.allow would");
            continue;
        }
        listen(&mut swarm, address)
            .map_err(|cause| OverlayError::Listen { address: address.clone(), cause })?;
        listening += 1;
    }
    if listening == 0 {
        return Err(OverlayError::NothingToListenAt);
    }
    let probe = match settings.probe {
        Some(address) => {
            let bound = Probe::bind(address).await;
            Some(bound.map_err(|cause| OverlayError::Probe { address, cause })?)
        }
        None => None,
    };
    let (tell, events) = mpsc::channel(EVENTS);
    let (orders, wanted) = mpsc::channel(ORDERS);
    let (publish, status) = watch::channel(Arc::new(Status::default()));
    tokio::spawn(Task::new(settings, key, swarm, probe, Outbox::new(tell), publish).run(wanted));
    Ok(Overlay { id: own, events, orders, status })
}

/// Says what is allowed and seldom meant.
fn warn(settings: &Settings) {
    let open = settings.allow.is_empty() && settings.psk.is_none();
    let public = |address: &&Multiaddr| address::ip(address).is_some_and(|ip| !ip.is_loopback());
    if let Some(address) = settings.listen.iter().find(public).filter(|_| open) {
        tracing::warn!("whoever reaches {address} can take part in the federation (overlay.insecure_open)");
    }
    for (peer, address) in &settings.seeds {
        if !settings.allow.is_empty() && !settings.allow.contains(peer) {
            tracing::warn!("{address} is not called: the node is not in overlay.allow");
        }
    }
}

fn listen(swarm: &mut Swarm<Behaviour>, address: &Multiaddr) -> io::Result<()> {
    if let Some(address) = tcp_socket(address) {
        // The library shares ports of its own process and others; two agents at one port must not be.
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
    }
    match swarm.listen_on(address.clone()) {
        Ok(_) => Ok(()),
        Err(TransportError::Other(cause)) => Err(innermost(cause)),
        Err(TransportError::MultiaddrNotSupported(_)) => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "no transport for such an address"))
        }
    }
}

/// Libraries wrap what the system said.
fn innermost(cause: io::Error) -> io::Error {
    let mut inner: &dyn std::error::Error = &cause;
    while let Some(next) = inner.source() {
        inner = next;
    }
    match inner.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
        Some(code) => io::Error::from_raw_os_error(code),
        None => cause,
    }
}

fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::QuicV1)
}

fn tcp_socket(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    match (parts.next()?, parts.next()?) {
        (Protocol::Ip4(ip), Protocol::Tcp(port)) => Some(SocketAddr::new(ip.into(), port)),
        (Protocol::Ip6(ip), Protocol::Tcp(port)) => Some(SocketAddr::new(ip.into(), port)),
        _ => None,
    }
}
