use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::StreamExt as _;
use libp2p::{PeerId, Stream};
use tokio::sync::mpsc;
use tokio_util::codec::FramedRead;
use tokio_util::compat::FuturesAsyncReadCompatExt as _;

use super::api::Offence;
use super::beat::Beat;
use super::exchange::Exchange;
use super::meter::Meter;
use super::traffic::Traffic;
use super::wire::{Frame, FrameDecoder, WireError};

/// What streams tell the task.
#[derive(Debug)]
pub(super) enum Told {
    /// A beat came.
    Beat(PeerId, Box<Beat>),
    /// A peer told of itself and of others.
    Exchange(PeerId, Box<Exchange>),
    /// A peer did wrong.
    Offence(PeerId, Offence),
    /// The stream from a peer ended; the number says which of its streams.
    Departed(PeerId, u64),
    /// The stream to a peer ended.
    Closed(PeerId, u64),
}

/// Reads the stream of a peer to its end. Beats above the peer's rate are not read until their time has come: the
/// stream's window fills, and the peer waits.
pub(super) async fn read(
    peer: PeerId,
    number: u64,
    stream: Stream,
    meter: Arc<Mutex<Meter>>,
    traffic: Arc<Traffic>,
    tell: mpsc::Sender<Told>,
) {
    let mut frames = FramedRead::new(stream.compat(), FrameDecoder);
    while let Some(received) = frames.next().await {
        let told = match received {
            Ok(received) => {
                hold_to_rate(peer, received.bytes, &meter, &tell).await;
                match received.frame {
                    Frame::Beat(beat) => {
                        traffic.received(received.bytes);
                        Told::Beat(peer, beat)
                    }
                    Frame::Exchange(exchange) => {
                        traffic.exchanged(received.bytes);
                        Told::Exchange(peer, exchange)
                    }
                    Frame::Unknown(version) => {
                        traffic.unknown();
                        tracing::debug!(%peer, version, "a beat of an unknown version");
                        continue;
                    }
                    Frame::Malformed(reason) => {
                        tracing::debug!(%peer, "a malformed beat: {reason}");
                        Told::Offence(peer, Offence::Malformed)
                    }
                }
            }
            Err(error @ WireError::Oversized(_)) => {
                tracing::debug!(%peer, "{error}");
                let _ = tell.send(Told::Offence(peer, Offence::Oversized)).await;
                break;
            }
            Err(WireError::Io(error)) => {
                tracing::debug!(%peer, "stream from the peer: {error}");
                break;
            }
        };
        if tell.send(told).await.is_err() {
            return;
        }
    }
    let _ = tell.send(Told::Departed(peer, number)).await;
}

/// Waits until the frame is within the peer's rate.
async fn hold_to_rate(peer: PeerId, bytes: usize, meter: &Mutex<Meter>, tell: &mpsc::Sender<Told>) {
    loop {
        let taken = meter.lock().unwrap_or_else(PoisonError::into_inner).frame(bytes, Instant::now());
        let Err(too_much) = taken else { return };
        if too_much.offence {
            let _ = tell.send(Told::Offence(peer, Offence::Flood)).await;
        }
        tokio::time::sleep(too_much.wait).await;
    }
}
