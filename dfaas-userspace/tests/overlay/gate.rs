//! The memory transport with a gate in it: a test says which nodes cannot reach each other.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::{AsyncRead, AsyncWrite};
use libp2p::core::ConnectedPoint;
use libp2p::core::transport::MemoryTransport;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, Transport};

type Rule = Box<dyn Fn(u64, u64) -> bool + Send>;

/// Says whether two ports of the memory transport can reach each other.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Option<Rule>>>);

impl Gate {
    /// Cuts all connections between ports for which `cut` is true, and lets no new ones come about.
    pub fn close(&self, cut: impl Fn(u64, u64) -> bool + Send + 'static) {
        *self.0.lock().expect("no test panics with it") = Some(Box::new(cut));
    }

    pub fn open(&self) {
        *self.0.lock().expect("no test panics with it") = None;
    }

    fn is_cut(&self, a: u64, b: u64) -> bool {
        self.0.lock().expect("no test panics with it").as_ref().is_some_and(|cut| cut(a, b) || cut(b, a))
    }

    /// The transport of the node that listens at `port`.
    pub fn transport(
        &self,
        port: u64,
    ) -> impl Transport<
        Output = Gated<<MemoryTransport as Transport>::Output>,
        Error = impl Send + Sync + std::error::Error + 'static,
        Dial = impl Send + 'static,
        ListenerUpgrade = impl Send + 'static,
    > + Send
    + Unpin
    + 'static {
        let gate = self.clone();
        MemoryTransport::default().map(move |inner, point| {
            // The side that called cuts for both: it alone knows the other's port.
            let ends = match point {
                ConnectedPoint::Dialer { address, .. } => port_of(&address).map(|remote| (port, remote)),
                ConnectedPoint::Listener { .. } => None,
            };
            Gated { inner, gate: gate.clone(), ends }
        })
    }
}

fn port_of(address: &Multiaddr) -> Option<u64> {
    address.iter().find_map(|part| match part {
        Protocol::Memory(port) => Some(port),
        _ => None,
    })
}

/// A connection through the gate.
pub struct Gated<S> {
    inner: S,
    gate: Gate,
    ends: Option<(u64, u64)>,
}

impl<S> Gated<S> {
    fn check(&self) -> io::Result<()> {
        match self.ends {
            Some((a, b)) if self.gate.is_cut(a, b) => Err(ErrorKind::ConnectionReset.into()),
            _ => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gated<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
