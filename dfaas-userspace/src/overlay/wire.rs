//! What neighbours tell each other as bytes: a length (32 bits, big-endian, of all that follows), a kind with its
//! version in one, and a beat or an exchange in postcard's encoding.

use bytes::{Buf as _, Bytes, BytesMut};
use dfaas_control::Message;
use tokio_util::codec::Decoder;

use super::beat::{Beat, Card};
use super::exchange::Exchange;
use crate::discovery::valid_spelling;

/// Most bytes that follow the length.
pub const MAX_FRAME: usize = 64 * 1024;
/// Most functions of a card, and most entries of a strategy's message.
pub const MAX_FUNCTIONS: usize = 1024;
/// Shortest and longest time between beats, ms.
pub const PERIOD_MS: std::ops::RangeInclusive<u32> = 100..=60_000;

/// Beats of the version that is written, and the only one that is understood.
const VERSION: u8 = 1;
/// The same of exchanges.
const EXCHANGE: u8 = 129;
/// Bytes of the length.
const HEAD: usize = 4;

/// What came in one frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A beat within all bounds.
    Beat(Box<Beat>),
    /// An exchange within all bounds; what its records are worth is not known yet.
    Exchange(Box<Exchange>),
    /// A frame of a kind or version that is not known: its sender is newer, and does no wrong.
    Unknown(u8),
    /// A frame that is no beat, or one out of bounds: why.
    Malformed(&'static str),
}

/// A frame and what it took on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What it is.
    pub frame: Frame,
    /// Its bytes, with the length.
    pub bytes: usize,
}

/// Why a stream of frames cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A length beyond [`MAX_FRAME`]. Nothing behind it was read.
    #[error("a frame of {0} bytes; at most {MAX_FRAME} are allowed")]
    Oversized(u32),
    /// The stream broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Why a beat cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// It is out of bounds, so that no node would take it.
    #[error("a beat out of bounds: {0}")]
    Bounds(&'static str),
    /// It is longer than a frame.
    #[error("a beat of {0} bytes; at most {MAX_FRAME} are allowed")]
    TooLong(usize),
    /// It has no encoding.
    #[error("a beat without encoding: {0}")]
    Postcard(#[from] postcard::Error),
}

/// The whole frame of a beat.
///
/// # Errors
/// If the beat is out of the bounds that receivers check.
pub fn encode(beat: &Beat) -> Result<Bytes, EncodeError> {
    check(beat).map_err(EncodeError::Bounds)?;
    framed(VERSION, beat)
}

/// The whole frame of an exchange.
///
/// # Errors
/// If it is out of the bounds that receivers check.
pub fn encode_exchange(exchange: &Exchange) -> Result<Bytes, EncodeError> {
    exchange.check().map_err(EncodeError::Bounds)?;
    framed(EXCHANGE, exchange)
}

fn framed(kind: u8, body: &impl serde::Serialize) -> Result<Bytes, EncodeError> {
    let mut frame = vec![0; HEAD];
    frame.push(kind);
    let mut frame = postcard::to_extend(body, frame)?;
    let length = frame.len() - HEAD;
    match u32::try_from(length) {
        Ok(prefix) if length <= MAX_FRAME => frame[..HEAD].copy_from_slice(&prefix.to_be_bytes()),
        _ => return Err(EncodeError::TooLong(length)),
    }
    Ok(frame.into())
}

/// Cuts a stream into frames. It never holds more than one frame that is not whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameDecoder;

impl Decoder for FrameDecoder {
    type Item = Received;
    type Error = WireError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Received>, WireError> {
        let Some(head) = buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let prefix = u32::from_be_bytes(*head);
        let length = match usize::try_from(prefix) {
            Ok(length) if length <= MAX_FRAME => length,
            _ => return Err(WireError::Oversized(prefix)),
        };
        if buffer.len() < HEAD + length {
            buffer.reserve(HEAD + length - buffer.len());
            return Ok(None);
        }
        buffer.advance(HEAD);
        let body = buffer.split_to(length);
        Ok(Some(Received { frame: parse(&body), bytes: HEAD + length }))
    }
}

fn parse(body: &[u8]) -> Frame {
    let read = match body {
        [] => Err("an empty frame"),
        [VERSION, beat @ ..] => {
            whole::<Beat>(beat).and_then(|beat| check(&beat).map(|()| Frame::Beat(Box::new(beat))))
        }
        [EXCHANGE, exchange @ ..] => whole::<Exchange>(exchange)
            .and_then(|exchange| exchange.check().map(|()| Frame::Exchange(Box::new(exchange)))),
        [kind, ..] => Ok(Frame::Unknown(*kind)),
    };
    read.unwrap_or_else(Frame::Malformed)
}

fn whole<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, &'static str> {
    match postcard::take_from_bytes::<T>(body) {
        Err(_) => Err("not the encoding of what it says it is"),
        Ok((_, [_, ..])) => Err("bytes after the end"),
        Ok((read, [])) => Ok(read),
    }
}

/// What the encoding does not bound by itself.
fn check(beat: &Beat) -> Result<(), &'static str> {
    if !PERIOD_MS.contains(&beat.period_ms) {
        return Err("a period out of bounds");
    }
    let told = match &beat.message {
        Some(Message::Recalc(offers)) => offers.len(),
        Some(Message::Margin(word)) => word.costs.len(),
        Some(Message::Lease(word)) => word.costs.len(),
        Some(Message::Probe(_)) | None => 0,
    };
    if told > MAX_FUNCTIONS {
        return Err("a message about too many functions");
    }
    beat.card.as_ref().map_or(Ok(()), check_card)
}

fn check_card(card: &Card) -> Result<(), &'static str> {
    if crate::config::valid_name(&card.name).is_err() {
        return Err("not the name of a node");
    }
    if crate::config::valid_region(&card.region).is_err() {
        return Err("not a region");
    }
    if card.data_port == 0 {
        return Err("no data port");
    }
    if card.functions.len() > MAX_FUNCTIONS {
        return Err("too many functions");
    }
    if !card.functions.iter().all(|name| valid_spelling(name)) {
        return Err("not the name of a function");
    }
    if !card.functions.is_sorted_by(|a, b| a < b) {
        return Err("functions out of order");
    }
    Ok(())
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
