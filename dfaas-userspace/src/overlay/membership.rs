//! What the task does about records of membership: its own is signed and handed out, those of others are judged and
//! kept. They travel from neighbour to neighbour, and by the DHT, each under its node's own key.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use libp2p::kad::store::RecordStore as _;
use libp2p::{Multiaddr, PeerId, kad};

use super::address::{ip, is_usable};
use super::api::Offence;
use super::beat::Card;
use super::behaviour::MOST_RECORDS;
use super::exchange::{Exchange, MAX_RECORDS};
use super::record::{self, LIFE, Record, RecordError};
use super::records::Taken;
use super::task::Task;

/// A record is renewed when so much of its life is over, s.
const RENEW: u64 = LIFE / 3;
/// Least time between records of this node, as what it says may change often at its start.
const SPACING: Duration = Duration::from_secs(2);
/// Time after which a new record is put to the DHT once more.
const AGAIN: Duration = Duration::from_secs(60);

/// This node's own record.
#[derive(Default)]
pub(super) struct Own {
    /// What the agent says of the node: its card, the digest of that, its incarnation.
    pub described: Option<(Card, u64, u64)>,
    /// What was signed last, and when.
    signed: Option<(Record, Bytes, Instant)>,
    /// When it is put to the DHT once more.
    again: Option<Instant>,
}

/// Seconds since 1970 by this machine's clock.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The key under which the DHT keeps a node's record.
pub(super) fn member_key(peer: &PeerId) -> kad::RecordKey {
    kad::RecordKey::new(&[&b"/dfaas/member/"[..], &peer.to_bytes()].concat())
}

fn offence(error: RecordError) -> Offence {
    match error {
        RecordError::Malformed => Offence::Malformed,
        RecordError::Forged => Offence::Forged,
        RecordError::Stale => Offence::Stale,
    }
}

impl Task {
    /// Signs what this node says of itself, if that is new or getting old, and gives it to the DHT.
    pub(super) fn renew(&mut self, now: Instant) {
        let described = self.own_record.described.as_ref().filter(|_| !self.connections.is_empty());
        let Some((card, digest, incarnation)) = described else { return };
        let mut fresh = Record {
            name: card.name.clone(),
            region: card.region.clone(),
            data_address: card.data_address,
            data_port: card.data_port,
            digest: *digest,
            incarnation: *incarnation,
            expires: unix_now() + LIFE,
            addresses: Vec::new(),
        }
        .with_addresses(&self.reachable_at());
        if let Some((known, _, at)) = &self.own_record.signed {
            let old = known.expires + RENEW <= fresh.expires;
            let same = *known == Record { expires: known.expires, ..fresh.clone() };
            if (same && !old) || now.saturating_duration_since(*at) < SPACING {
                return self.put_again(now);
            }
            // Always newer than the one before, also when the clock went back.
            if known.incarnation == fresh.incarnation {
                fresh.expires = fresh.expires.max(known.expires + 1);
            }
        }
        let Some(sealed) = record::seal(&fresh, &self.key) else { return };
        self.own_record.signed = Some((fresh, sealed, now));
        self.own_record.again = Some(now + AGAIN);
        self.writers.values_mut().for_each(super::connected::Writer::tell_again);
        self.publish_own(now);
    }

    /// Puts the record once more a while after it was signed: a node that has just come knows few others.
    fn put_again(&mut self, now: Instant) {
        if self.own_record.again.take_if(|again| *again <= now).is_some() {
            self.publish_own(now);
        }
    }

    fn publish_own(&mut self, now: Instant) {
        let Some((_, sealed, _)) = &self.own_record.signed else { return };
        let value = kad::Record {
            key: member_key(&self.own),
            value: sealed.to_vec(),
            publisher: None,
            expires: Some(now + Duration::from_secs(LIFE)),
        };
        // Without anybody to put it to, the neighbours have it still.
        let _ = self.swarm.behaviour_mut().kad.put_record(value, kad::Quorum::One);
    }

    /// Where others may reach this node: first where they see it.
    fn reachable_at(&self) -> Vec<Multiaddr> {
        let listening = self.listening.keys().map(|address| super::address::bare(address.clone()));
        let mut addresses: Vec<Multiaddr> = self.external.clone();
        addresses.extend(listening);
        // A node that can be reached from elsewhere is not looked for on the machine of who reads this.
        let here = |address: &Multiaddr| ip(address).is_some_and(|ip| ip.is_loopback());
        if addresses.iter().any(|address| !here(address)) {
            addresses.retain(|address| !here(address));
        }
        addresses
    }

    /// Puts what is due of records into a word for a neighbour: to a new one more of them and this node's own.
    pub(super) fn add_records(&mut self, to: &PeerId, first: bool, own: bool, word: &mut Exchange) {
        let own =
            self.own_record.signed.as_ref().filter(|_| first || own).map(|(_, sealed, _)| sealed.clone());
        let room = if first { MAX_RECORDS } else { 1 };
        let random = &mut self.random;
        let others = self
            .records
            .sample(to, room - usize::from(own.is_some()), unix_now(), || rand::Rng::random(random));
        word.records = own.into_iter().chain(others).map(|record| record.to_vec()).collect();
    }

    /// Takes a record that a neighbour handed on, or that the DHT found.
    pub(super) fn take_record(&mut self, from: PeerId, sealed: &Bytes) {
        let chance = self.chance();
        match self.records.take(sealed, unix_now(), chance) {
            Ok(Taken::Known) => {}
            Ok(Taken::News(peer, record)) => self.heard(peer, record.multiaddresses()),
            Err(error) => {
                tracing::debug!(%from, "a record is not taken: {error}");
                self.offend(from, offence(error));
            }
        }
    }

    /// A node wants a record kept for the DHT: one that is signed by the node whose key it has, or none.
    pub(super) fn put(&mut self, source: PeerId, mut put: kad::Record) {
        let now = unix_now();
        let (peer, record) = match record::open(&put.value, now) {
            Ok((peer, record)) if put.key == member_key(&peer) => (peer, record),
            Ok(_) => return self.offend(source, Offence::Forged),
            Err(error) => return self.offend(source, offence(error)),
        };
        let store = self.swarm.behaviour_mut().kad.store_mut();
        let known = store.get(&put.key).and_then(|known| record::open(&known.value, now).ok());
        if peer == self.own
            || known.is_some_and(|(_, known)| !record.is_newer(&known))
            || !self.is_welcome(&peer)
        {
            return;
        }
        let left = record.expires.saturating_sub(now).min(LIFE);
        put.publisher = Some(peer);
        put.expires = Some(Instant::now() + Duration::from_secs(left));
        let own = kad::KBucketKey::from(self.own);
        let store = self.swarm.behaviour_mut().kad.store_mut();
        if store.get(&put.key).is_none() && store.records().count() >= MOST_RECORDS {
            let distance = |key: &kad::RecordKey| own.distance(&kad::KBucketKey::new(key.clone()));
            let farthest = store.records().map(|record| record.key.clone()).max_by_key(distance);
            match farthest {
                Some(farthest) if distance(&put.key) < distance(&farthest) => store.remove(&farthest),
                _ => return,
            }
        }
        // There is room now, and the value is no longer than one may be.
        let _ = store.put(put);
    }

    /// Forgets records of the DHT that have expired.
    pub(super) fn tidy_store(&mut self, now: Instant) {
        self.swarm.behaviour_mut().kad.store_mut().retain(|_, record| !record.is_expired(now));
    }

    /// Takes where a node saw this one, and tells others once enough agree.
    pub(super) fn observed(&mut self, by: PeerId, at: &Multiaddr) {
        let Some(seen) = ip(at).filter(|_| self.remote(&by).is_some_and(|source| is_usable(at, &source)))
        else {
            return;
        };
        self.observed.says(by, seen);
        let listening: Vec<Multiaddr> = self.listening.keys().cloned().collect();
        let external = self.observed.external(&listening);
        for gone in self.external.iter().filter(|address| !external.contains(address)) {
            self.swarm.remove_external_address(gone);
        }
        for new in external.iter().filter(|address| !self.external.contains(address)) {
            tracing::info!("others see this node at {new}");
            self.swarm.add_external_address(new.clone());
        }
        self.external = external;
    }
}
