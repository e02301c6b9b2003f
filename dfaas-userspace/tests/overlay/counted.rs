//! TCP on loopback with a count of all bytes that are written: what beats, pings, look-ups and handshakes cost together.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use dfaas_userspace::overlay::{self, Authenticated};
use futures_util::{AsyncRead, AsyncWrite};
use libp2p::identity::Keypair;
use libp2p::{Transport, tcp};

/// Bytes that a node has written to its sockets.
pub type Count = Arc<AtomicU64>;

/// The transport of one node.
pub fn transport(key: &Keypair) -> (Authenticated, Count) {
    let count = Count::default();
    let counted = Arc::clone(&count);
    let raw = tcp::tokio::Transport::new(tcp::Config::new())
        .map(move |inner, _| Counted { inner, count: Arc::clone(&counted) });
    (overlay::authenticated(raw, key).expect("a key of the right kind"), count)
}

pub struct Counted<S> {
    inner: S,
    count: Count,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = &written {
            self.count.fetch_add(*written as u64, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
