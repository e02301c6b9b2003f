use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::{PeerId, Stream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::stream_in::Told;
use super::traffic::Traffic;

/// Least time between beats to one peer: five a second.
const SPACING: Duration = Duration::from_millis(200);
/// Longest time for one beat to be taken over by the connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is written at once.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    /// Whole frames.
    pub bytes: Bytes,
    /// How many of them are beats.
    pub beats: u64,
}

/// Writes the frames of `slot` to a peer, the latest each time there is room, until the slot's owner drops it or the
/// stream breaks. What is in the slot when its owner drops it is still written.
pub(super) async fn write(
    peer: PeerId,
    number: u64,
    stream: Stream,
    slot: watch::Receiver<Option<Outgoing>>,
    traffic: Arc<Traffic>,
    tell: mpsc::Sender<Told>,
) {
    if let Err(error) = write_all(stream, slot, &traffic).await {
        tracing::debug!(%peer, "stream to the peer: {error}");
        let _ = tell.send(Told::Closed(peer, number)).await;
    }
}

async fn write_all(
    stream: Stream,
    mut slot: watch::Receiver<Option<Outgoing>>,
    traffic: &Traffic,
) -> io::Result<()> {
    let (mut back, mut out) = stream.split();
    // Nothing ever comes back but the end, when the peer has closed the stream.
    let mut byte = [0; 1];
    let mut closed = std::pin::pin!(async move {
        match back.read(&mut byte).await {
            Ok(0) => io::Error::from(io::ErrorKind::ConnectionReset),
            Ok(_) => io::Error::other("bytes where none are expected"),
            Err(error) => error,
        }
    });
    let mut next = Instant::now();
    loop {
        let news = async {
            let news = slot.changed().await;
            sleep_until(next).await;
            news
        };
        let news = tokio::select! {
            error = &mut closed => return Err(error),
            news = news => news,
        };
        if news.is_err() {
            let _ = timeout(PATIENCE, out.close()).await;
            return Ok(());
        }
        let Some(Outgoing { bytes, beats }) = slot.borrow_and_update().clone() else { continue };
        next = Instant::now() + SPACING;
        let written = async {
            out.write_all(&bytes).await?;
            out.flush().await
        };
        timeout(PATIENCE, written).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        traffic.sent(beats, bytes.len());
    }
}
