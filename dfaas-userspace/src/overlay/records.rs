use std::collections::BTreeMap;

use bytes::Bytes;
use libp2p::PeerId;

use super::record::{self, LIFE, Record, RecordError};

/// Most records of others that are kept. Who knows so many can choose among all: a sample does as well as the whole.
pub(super) const MOST: usize = 128;

/// A record is handed on while so many seconds of its life are left, so that nobody whose clock is a little ahead takes
/// it for an old one.
const HANDED_ON: u64 = LIFE / 4;

/// Records of other nodes. Times (seconds since 1970) and chance (a random number from 0 to 1) are arguments.
#[derive(Debug)]
pub(super) struct Records {
    own: PeerId,
    kept: BTreeMap<PeerId, (Record, Bytes)>,
}

/// What a record was.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// News of this node.
    News(PeerId, Record),
    /// As much, or more, was known.
    Known,
}

impl Records {
    /// None yet, of the node `own`, whose record is never among them.
    pub(super) fn new(own: PeerId) -> Self {
        Self { own, kept: BTreeMap::new() }
    }

    /// Takes a record that anybody handed on. One more than there is room for takes the place of another, by chance, so
    /// that what is kept is a sample of all that was heard.
    pub(super) fn take(&mut self, bytes: &Bytes, now: u64, chance: f64) -> Result<Taken, RecordError> {
        if self.kept.values().any(|(_, known)| known == bytes) {
            return Ok(Taken::Known);
        }
        let (peer, record) = record::open(bytes, now)?;
        if peer == self.own || self.kept.get(&peer).is_some_and(|(known, _)| !record.is_newer(known)) {
            return Ok(Taken::Known);
        }
        if !self.kept.contains_key(&peer) && self.kept.len() >= MOST {
            self.expire(now);
            let leaves = pick(self.kept.keys(), self.kept.len(), chance).copied();
            if let Some(leaves) = leaves.filter(|_| self.kept.len() >= MOST) {
                self.kept.remove(&leaves);
            }
        }
        self.kept.insert(peer, (record.clone(), bytes.clone()));
        Ok(Taken::News(peer, record))
    }

    /// Some of them to hand on, none of `to` itself.
    pub(super) fn sample(
        &mut self,
        to: &PeerId,
        count: usize,
        now: u64,
        mut chance: impl FnMut() -> f64,
    ) -> Vec<Bytes> {
        self.expire(now);
        let mut others: Vec<&Bytes> =
            self.kept.iter().filter(|(peer, _)| *peer != to).map(|(_, (_, bytes))| bytes).collect();
        let mut sample = Vec::new();
        while sample.len() < count && !others.is_empty() {
            let index = index(others.len(), chance());
            sample.push(others.swap_remove(index).clone());
        }
        sample
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    fn expire(&mut self, now: u64) {
        self.kept.retain(|_, (record, _)| record.expires >= now.saturating_add(HANDED_ON));
    }
}

fn index(count: usize, chance: f64) -> usize {
    ((chance * count as f64) as usize).min(count.saturating_sub(1))
}

fn pick<T>(mut items: impl Iterator<Item = T>, count: usize, chance: f64) -> Option<T> {
    items.nth(index(count, chance))
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::super::record::{SKEW, seal};
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn sealed(key: &Keypair, incarnation: u64, expires: u64) -> Bytes {
        let record = Record {
            name: "a".to_owned(),
            region: String::new(),
            data_address: None,
            data_port: 1,
            digest: 0,
            incarnation,
            expires,
            addresses: Vec::new(),
        };
        seal(&record, key).unwrap()
    }

    #[test]
    fn newer_ones_replace_older_ones_and_never_the_other_way() {
        let (mut records, key) = (Records::new(PeerId::random()), Keypair::generate_ed25519());
        let id = key.public().to_peer_id();
        let mut take = |incarnation, expires| records.take(&sealed(&key, incarnation, expires), NOW, 0.5);
        assert!(matches!(take(2, NOW + 10), Ok(Taken::News(peer, _)) if peer == id));
        assert_eq!(take(2, NOW + 10), Ok(Taken::Known));
        assert_eq!(take(1, NOW + LIFE), Ok(Taken::Known), "of an earlier run");
        assert!(matches!(take(2, NOW + 20), Ok(Taken::News(..))));
        assert_eq!(take(2, NOW - SKEW - 1), Err(RecordError::Stale));
        assert_eq!(records.kept[&id].0.expires, NOW + 20);
    }

    #[test]
    fn what_is_kept_is_a_bounded_sample() {
        let mut records = Records::new(PeerId::random());
        let mut chance = (0..).map(|n| f64::from(n % 7) / 7.0);
        for _ in 0..MOST + 50 {
            let bytes = sealed(&Keypair::generate_ed25519(), 1, NOW + LIFE);
            assert!(matches!(records.take(&bytes, NOW, chance.next().unwrap()), Ok(Taken::News(..))));
        }
        assert_eq!(records.len(), MOST);
        let to = *records.kept.keys().next().unwrap();
        let sample = records.sample(&to, 200, NOW, || 0.999_999);
        assert_eq!(sample.len(), MOST - 1, "all but of whom it goes to, each once");
        assert!(records.sample(&to, 3, NOW + LIFE, || 0.0).is_empty(), "nothing that is over is handed on");
    }
}
