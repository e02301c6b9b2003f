//! How nodes reach each other: QUIC, and TCP with Noise and Yamux, inside the swarm key's encryption if there is one.

use std::time::Duration;

use futures_util::future::Either;
use futures_util::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::pnet::{PnetConfig, PreSharedKey};
use libp2p::{PeerId, Transport, noise, quic, tcp, yamux};

/// A transport with authenticated connections.
pub type Authenticated = Boxed<(PeerId, StreamMuxerBox)>;

/// Longest time for all handshakes of a connection together.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
/// Most streams of one connection. A node has about eight.
const MOST_STREAMS: u32 = 64;
/// Most bytes that wait unread in one stream, and in all streams of a connection, of QUIC.
const QUIC_WINDOWS: (u32, u32) = (256 * 1024, 1024 * 1024);

/// TCP, and QUIC if wanted: a swarm key does not guard it.
///
/// # Errors
/// If the key cannot be used.
pub(super) fn network(
    key: &Keypair,
    psk: Option<PreSharedKey>,
    with_quic: bool,
) -> Result<Authenticated, noise::Error> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::new());
    let tcp = match psk {
        None => authenticated(tcp, key)?,
        Some(psk) => {
            authenticated(tcp.and_then(move |socket, _| PnetConfig::new(psk).handshake(socket)), key)?
        }
    };
    if !with_quic {
        return Ok(tcp);
    }
    let mut config = quic::Config::new(key);
    config.handshake_timeout = HANDSHAKE;
    config.max_concurrent_stream_limit = MOST_STREAMS;
    (config.max_stream_data, config.max_connection_data) = QUIC_WINDOWS;
    let quic = quic::tokio::Transport::new(config);
    let either = quic.or_transport(tcp).map(|output, _| match output {
        Either::Left((peer, connection)) => (peer, StreamMuxerBox::new(connection)),
        Either::Right(output) => output,
    });
    Ok(either.boxed())
}

/// Noise and Yamux over any transport of bytes.
///
/// # Errors
/// If the key cannot be used.
pub fn authenticated<T>(raw: T, key: &Keypair) -> Result<Authenticated, noise::Error>
where
    T: Transport + Send + Unpin + 'static,
    T::Output: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    T::Error: Send + Sync + 'static,
    T::Dial: Send + 'static,
    T::ListenerUpgrade: Send + 'static,
{
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(MOST_STREAMS as usize);
    let noise = noise::Config::new(key)?;
    Ok(raw.upgrade(Version::V1Lazy).authenticate(noise).multiplex(yamux).timeout(HANDSHAKE).boxed())
}
