//! Records of membership: what a node says of itself to those who do not know it yet, signed by its identity, so that
//! anybody can hand it on and nobody can change it.

use std::net::IpAddr;

use bytes::Bytes;
use libp2p::core::SignedEnvelope;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

/// Longest record, with its key and signature.
pub const MAX_RECORD: usize = 1024;
/// Most addresses in a record, and bytes of each.
const ADDRESSES: (usize, usize) = (4, 64);
/// Longest life of a record, seconds; its node renews it several times in this time.
pub const LIFE: u64 = 3600;
/// How long after its end a record is still taken, as clocks differ, seconds.
pub const SKEW: u64 = 300;

/// Where such signatures are used, so that none is taken for one of another use.
const DOMAIN: &str = "dfaas-member";
const KIND: &[u8] = b"/dfaas/member/1";

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its region; may be empty.
    pub region: String,
    /// Where its data port is, if not at the address from which it talks.
    pub data_address: Option<IpAddr>,
    /// Port where invocations from peers arrive.
    pub data_port: u16,
    /// Digest of its card, functions included.
    pub digest: u64,
    /// Grows with each start of its agent.
    pub incarnation: u64,
    /// When it ends: seconds since 1970.
    pub expires: u64,
    /// Where its overlay listens, as bytes of multiaddresses.
    pub addresses: Vec<Vec<u8>>,
}

/// Why a record is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not the encoding of a record, or values out of bounds.
    #[error("not a record of membership")]
    Malformed,
    /// Signed by nobody, by somebody else, or for another use.
    #[error("the signature is not that of the node")]
    Forged,
    /// Its time is over, or so far ahead that its node's clock is wrong.
    #[error("the record has expired, or will be valid for too long")]
    Stale,
}

impl Record {
    /// Puts the addresses in, as many as there is room for.
    pub(super) fn with_addresses(mut self, addresses: &[Multiaddr]) -> Self {
        let short = addresses.iter().map(Multiaddr::to_vec).filter(|address| address.len() <= ADDRESSES.1);
        self.addresses = short.take(ADDRESSES.0).collect();
        self
    }

    /// The addresses that can be read.
    pub(super) fn multiaddresses(&self) -> Vec<Multiaddr> {
        self.addresses.iter().filter_map(|bytes| Multiaddr::try_from(bytes.clone()).ok()).collect()
    }

    /// Whether it is newer than another of the same node.
    pub(super) fn is_newer(&self, other: &Self) -> bool {
        (self.incarnation, self.expires) > (other.incarnation, other.expires)
    }

    fn check(&self, now: u64) -> Result<(), RecordError> {
        let good = crate::config::valid_name(&self.name).is_ok()
            && crate::config::valid_region(&self.region).is_ok()
            && self.data_port != 0
            && self.addresses.len() <= ADDRESSES.0
            && self.addresses.iter().all(|address| address.len() <= ADDRESSES.1);
        let timely = self.expires.saturating_add(SKEW) >= now && self.expires <= now.saturating_add(2 * LIFE);
        match (good, timely) {
            (false, _) => Err(RecordError::Malformed),
            (true, false) => Err(RecordError::Stale),
            (true, true) => Ok(()),
        }
    }
}

/// The signed form; `None` if the key cannot sign or the record is too long.
pub fn seal(record: &Record, key: &Keypair) -> Option<Bytes> {
    let payload = postcard::to_stdvec(record).ok()?;
    let envelope = SignedEnvelope::new(key, DOMAIN.to_owned(), KIND.to_vec(), payload).ok()?;
    let bytes = envelope.into_protobuf_encoding();
    (bytes.len() <= MAX_RECORD).then(|| bytes.into())
}

/// Reads a signed record: whose it is, and what it says. `now` is in seconds since 1970.
///
/// # Errors
/// If it is not what a node said of itself, or not any more.
pub fn open(bytes: &[u8], now: u64) -> Result<(PeerId, Record), RecordError> {
    if bytes.len() > MAX_RECORD {
        return Err(RecordError::Malformed);
    }
    let envelope = SignedEnvelope::from_protobuf_encoding(bytes).map_err(|_| RecordError::Malformed)?;
    let (payload, key) =
        envelope.payload_and_signing_key(DOMAIN.to_owned(), KIND).map_err(|_| RecordError::Forged)?;
    match postcard::take_from_bytes::<Record>(payload) {
        Ok((record, [])) => {
            record.check(now)?;
            Ok((key.to_peer_id(), record))
        }
        _ => Err(RecordError::Malformed),
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
