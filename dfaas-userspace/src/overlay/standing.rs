//! How much nodes are trusted to keep to the rules. Offences cost, time heals, and who has nothing left is shut out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

use super::api::Offence;

/// Time in which the loss of everything heals.
const HEALING: Duration = Duration::from_secs(600);
/// The first time out.
const FIRST_OUT: Duration = Duration::from_secs(60);
/// The longest time out.
const LONGEST_OUT: Duration = Duration::from_secs(3600);
/// Good conduct after which earlier times out are forgotten.
const FORGIVEN: Duration = Duration::from_secs(3600);
/// Standing of who comes back: one more chance, and less than others have.
const AFTER_OUT: f64 = 0.5;
/// Most nodes whose offences are remembered. Beyond it those with the best standing are forgotten first.
const MOST: usize = 4096;

/// What one offence costs; a node begins with 1.
fn cost(offence: Offence) -> f64 {
    match offence {
        // Noted once a second at most: a flood of ten seconds is no accident.
        Offence::Flood | Offence::Stale => 0.1,
        Offence::Replayed => 0.2,
        Offence::Malformed | Offence::Forged => 0.34,
        // Two are too many, also with a moment between them.
        Offence::Oversized => 0.51,
    }
}

#[derive(Debug)]
struct Account {
    /// From 0 to 1, at `at`.
    standing: f64,
    at: Instant,
    /// Times it was shut out, and until when.
    outs: u32,
    until: Option<Instant>,
}

impl Account {
    fn standing(&self, now: Instant) -> f64 {
        let healed = now.saturating_duration_since(self.at).as_secs_f64() / HEALING.as_secs_f64();
        (self.standing + healed).min(1.0)
    }

    /// Whether there is nothing left to remember.
    fn is_clean(&self, now: Instant) -> bool {
        let forgiven = self.outs == 0 || now.saturating_duration_since(self.at) >= FORGIVEN;
        self.until.is_none() && forgiven && self.standing(now) >= 1.0
    }
}

/// What follows from an offence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Standing fell.
    Noted,
    /// Nothing is left: to be disconnected and shut out for so long.
    ShutOut(Duration),
}

/// The standing of every node that did wrong lately. Time is an argument.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: BTreeMap<PeerId, Account>,
    /// Shut out, and forgotten for want of room.
    released: Vec<PeerId>,
}

impl Ledger {
    /// Notes an offence. One of a node that is shut out already (told late) changes nothing.
    pub(super) fn offend(&mut self, peer: PeerId, offence: Offence, now: Instant) -> Verdict {
        if !self.accounts.contains_key(&peer) {
            self.make_room(now);
        }
        let fresh = Account { standing: 1.0, at: now, outs: 0, until: None };
        let account = self.accounts.entry(peer).or_insert(fresh);
        if account.until.is_some() {
            return Verdict::Noted;
        }
        if now.saturating_duration_since(account.at) >= FORGIVEN {
            account.outs = 0;
        }
        account.standing = account.standing(now) - cost(offence);
        account.at = now;
        if account.standing > 0.0 {
            return Verdict::Noted;
        }
        account.standing = 0.0;
        let time = FIRST_OUT.saturating_mul(1 << account.outs.min(16)).min(LONGEST_OUT);
        account.outs = account.outs.saturating_add(1);
        account.until = Some(now + time);
        Verdict::ShutOut(time)
    }

    /// From 0 (shut out) to 1 (nothing wrong).
    pub(super) fn standing(&self, peer: &PeerId, now: Instant) -> f64 {
        match self.accounts.get(peer) {
            Some(account) if account.until.is_some() => 0.0,
            Some(account) => account.standing(now),
            None => 1.0,
        }
    }

    /// Whether a node is shut out.
    pub(super) fn is_out(&self, peer: &PeerId) -> bool {
        self.accounts.get(peer).is_some_and(|account| account.until.is_some())
    }

    /// Nodes whose time out is over; each is told once. To be called often.
    pub(super) fn release(&mut self, now: Instant) -> Vec<PeerId> {
        let mut released = std::mem::take(&mut self.released);
        for (peer, account) in &mut self.accounts {
            if account.until.is_some_and(|until| until <= now) {
                account.until = None;
                account.standing = AFTER_OUT;
                account.at = now;
                released.push(*peer);
            }
        }
        self.accounts.retain(|_, account| !account.is_clean(now));
        released
    }

    fn make_room(&mut self, now: Instant) {
        if self.accounts.len() < MOST {
            return;
        }
        // Best standing first; of those shut out, who would be back first.
        let worth = |account: &Account| match account.until {
            Some(until) => 2.0 + until.saturating_duration_since(now).as_secs_f64(),
            None => 1.0 - account.standing(now),
        };
        let best = self.accounts.iter().min_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)));
        if let Some((peer, account)) = best {
            let (peer, out) = (*peer, account.until.is_some());
            self.accounts.remove(&peer);
            self.released.extend(out.then_some(peer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn offend_until_out(ledger: &mut Ledger, peer: PeerId, now: Instant) -> (u32, Duration) {
        for count in 1..=100 {
            if let Verdict::ShutOut(time) = ledger.offend(peer, Offence::Malformed, now) {
                return (count, time);
            }
        }
        panic!("never shut out");
    }

    #[test]
    fn three_malformed_frames_are_one_too_many() {
        let (now, mut ledger, peer) = (Instant::now(), Ledger::default(), PeerId::random());
        assert_eq!(ledger.standing(&peer, now), 1.0);
        assert_eq!(offend_until_out(&mut ledger, peer, now), (3, secs(60)));
        assert!(ledger.is_out(&peer));
        assert_eq!(ledger.standing(&peer, now), 0.0);
        assert!(!ledger.is_out(&PeerId::random()), "others have nothing to do with it");
    }

    #[test]
    fn time_heals() {
        let (start, mut ledger, peer) = (Instant::now(), Ledger::default(), PeerId::random());
        for minute in 0..100 {
            // One malformed frame in four minutes is borne for ever.
            assert_eq!(ledger.offend(peer, Offence::Malformed, start + secs(240 * minute)), Verdict::Noted);
        }
        assert!(ledger.standing(&peer, start + secs(240 * 99)) < 0.7);
        assert_eq!(ledger.standing(&peer, start + secs(240 * 99 + 600)), 1.0);
        assert_eq!(ledger.release(start + secs(240 * 99 + 600)), []);
        assert!(ledger.accounts.is_empty(), "and forgets");
    }

    #[test]
    fn times_out_double_up_to_an_hour_and_good_conduct_is_rewarded() {
        let (mut now, mut ledger, peer) = (Instant::now(), Ledger::default(), PeerId::random());
        let mut times = Vec::new();
        for _ in 0..8 {
            let (_, time) = offend_until_out(&mut ledger, peer, now);
            times.push(time.as_secs());
            assert_eq!(ledger.release(now + time - secs(1)), []);
            now += time;
            assert_eq!(ledger.release(now), [peer]);
            assert_eq!(ledger.release(now), [], "told once");
            assert_eq!(ledger.standing(&peer, now), AFTER_OUT);
        }
        assert_eq!(times, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        now += FORGIVEN;
        assert_eq!(offend_until_out(&mut ledger, peer, now).1, secs(60));
    }

    #[test]
    fn an_offence_told_late_does_not_prolong_the_time_out() {
        let (now, mut ledger, peer) = (Instant::now(), Ledger::default(), PeerId::random());
        let (_, time) = offend_until_out(&mut ledger, peer, now);
        assert_eq!(ledger.offend(peer, Offence::Forged, now + secs(1)), Verdict::Noted);
        assert_eq!(ledger.release(now + time), [peer]);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_worst_are_remembered_longest() {
        let (now, mut ledger, worst) = (Instant::now(), Ledger::default(), PeerId::random());
        let (_, time) = offend_until_out(&mut ledger, worst, now);
        for _ in 0..MOST + 100 {
            ledger.offend(PeerId::random(), Offence::Flood, now);
        }
        assert_eq!(ledger.accounts.len(), MOST);
        assert!(ledger.is_out(&worst));
        assert_eq!(ledger.release(now + time), [worst]);
    }

    #[test]
    fn who_is_forgotten_while_shut_out_is_let_in_again() {
        let (now, mut ledger) = (Instant::now(), Ledger::default());
        for _ in 0..=MOST {
            offend_until_out(&mut ledger, PeerId::random(), now);
        }
        assert_eq!(ledger.release(now).len(), 1);
    }
}
