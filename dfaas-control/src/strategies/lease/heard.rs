use std::collections::BTreeMap;
use std::time::Duration;

use super::level::Load;
use crate::command::{LeaseWord, lease_flag};
use crate::estimate::usable_cost;
use crate::id::{FunctionId, NodeId, Time};

/// No node has more processors than this.
const MOST: f64 = 65_536.0;

/// Costs in one word that are looked at.
const MOST_COSTS: usize = 1024;

/// What a peer said of itself and to this node, as far as it can be meant. Processors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    at: Time,
    /// Changes with every word.
    pub report: u64,
    pub capacity: f64,
    pub demand: f64,
    pub headroom: f64,
    pub free: f64,
    pub wait: Duration,
    pub sender: bool,
    pub draining: bool,
    pub cold: bool,
    pub ask: f64,
    pub grant: f64,
    /// What functions cost there, where it told.
    costs: BTreeMap<FunctionId, f64>,
}

/// What is new in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct News {
    /// It is the first one, or the first for long.
    pub first: bool,
    /// It changes what the peer may be asked for.
    pub role: bool,
    /// Another ask.
    pub ask: bool,
    /// Another grant, by more than a trifle, or other costs: what goes there changes.
    pub lease: bool,
    /// The grant is notably smaller.
    pub cut: bool,
    /// Its users ask for more, or it has fewer processors.
    pub load: bool,
    /// Another wait, by more than a trifle.
    pub wait: bool,
}

impl News {
    /// What is new in both of two words.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            first: self.first | other.first,
            role: self.role | other.role,
            ask: self.ask | other.ask,
            lease: self.lease | other.lease,
            cut: self.cut | other.cut,
            load: self.load | other.load,
            wait: self.wait | other.wait,
        }
    }

    /// Whether more follows from it than another wait.
    pub(super) fn matters(self) -> bool {
        self.first || self.role || self.ask || self.lease || self.load
    }
}

/// Asks, grants and costs that differ by less than this part can wait for the next tick: measured anew each time, they are
/// never quite the same.
const TRIFLE: f64 = 0.05;

/// So can waits that differ by less than this part, or than this time.
const TRIFLING_WAIT: f64 = 0.05;
const SHORT: Duration = Duration::from_millis(1);

/// What peers said last.
#[derive(Debug, Default)]
pub(super) struct Heard {
    words: BTreeMap<NodeId, Word>,
    reports: u64,
    /// No word was said before this.
    oldest: Time,
}

impl Heard {
    /// Forgets nodes that are no peers any more, and what was said longer than `lifetime` ago.
    pub(super) fn forget<T>(&mut self, now: Time, lifetime: Duration, peers: &BTreeMap<NodeId, T>) {
        self.words.retain(|node, word| peers.contains_key(node) && now.since(word.at) < lifetime);
        self.oldest = self.words.values().map(|word| word.at).min().unwrap_or(now);
    }

    /// Whether something may have been said longer than `lifetime` ago.
    pub(super) fn may_be_old(&self, now: Time, lifetime: Duration) -> bool {
        now.since(self.oldest) >= lifetime
    }

    /// Takes what `from` says in place of what it said before. Only costs of functions that are `known` count, so that
    /// nobody fills the memory.
    pub(super) fn take<T>(
        &mut self,
        now: Time,
        from: NodeId,
        said: &LeaseWord,
        known: &BTreeMap<FunctionId, T>,
    ) -> News {
        self.reports += 1;
        let flag = |flag| said.flags & flag != 0;
        let (sender, draining) = (flag(lease_flag::SENDER), flag(lease_flag::DRAINING));
        let gives = !sender && !draining;
        let capacity = amount(said.capacity);
        let headroom = if gives { amount(said.headroom).min(capacity) } else { 0.0 };
        let told = said.costs.iter().take(MOST_COSTS).filter(|(id, _)| known.contains_key(id));
        let mut costs: BTreeMap<FunctionId, f64> =
            told.filter_map(|(id, cost)| Some((*id, usable_cost(*cost)?))).collect();
        let before = self.words.get_mut(&from);
        // Costs are told to those that ask; those told before are as good as they were.
        let same_costs = said.costs.is_empty();
        if let Some(before) = before.filter(|_| same_costs) {
            costs = std::mem::take(&mut before.costs);
        }
        let word = Word {
            at: now,
            report: self.reports,
            capacity,
            demand: amount(said.demand),
            headroom,
            free: amount(said.free).min(headroom),
            wait: Duration::from_micros(said.wait.into()),
            sender,
            draining,
            cold: flag(lease_flag::COLD),
            ask: amount(said.ask),
            grant: if gives { amount(said.grant).min(capacity) } else { 0.0 },
            costs,
        };
        let role = |word: &Word| (word.sender, word.draining);
        let now_is = role(&word);
        let Some(place) = self.words.get_mut(&from) else {
            self.words.insert(from, word);
            return News {
                first: true,
                role: true,
                ask: true,
                lease: true,
                cut: false,
                load: true,
                wait: true,
            };
        };
        let before = std::mem::replace(place, word);
        let regranted = notable(before.grant, place.grant);
        News {
            first: false,
            role: role(&before) != now_is,
            ask: notable(before.ask, place.ask),
            lease: regranted || !same_costs && costs_differ(&before.costs, &place.costs),
            cut: regranted && place.grant < before.grant,
            load: (place.demand > before.demand && notable(place.demand, before.demand))
                || notable(place.capacity, before.capacity),
            wait: waits_differ(before.wait, place.wait),
        }
    }

    /// What a peer said.
    pub(super) fn word(&self, node: NodeId) -> Option<&Word> {
        self.words.get(&node)
    }

    /// The peers that said something.
    pub(super) fn words(&self) -> impl Iterator<Item = (NodeId, &Word)> {
        self.words.iter().map(|(node, word)| (*node, word))
    }

    /// The least that peers say a function costs them.
    pub(super) fn hint(&self, id: FunctionId) -> Option<f64> {
        self.words.values().filter_map(|word| word.costs.get(&id).copied()).min_by(f64::total_cmp)
    }
}

fn costs_differ(a: &BTreeMap<FunctionId, f64>, b: &BTreeMap<FunctionId, f64>) -> bool {
    a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a.0 != b.0 || notable(*a.1, *b.1))
}

impl Word {
    /// What its own users ask of it.
    pub(super) fn load(&self) -> Load {
        Load { capacity: self.capacity, demand: self.demand }
    }

    /// What a function costs there; what it costs here, if that was not told.
    pub(super) fn cost(&self, id: FunctionId, here: f64) -> f64 {
        self.costs.get(&id).copied().unwrap_or(here)
    }

    /// Whether it may be asked for anything.
    pub(super) fn gives(&self) -> bool {
        !self.sender && !self.draining
    }
}

fn notable(a: f64, b: f64) -> bool {
    (a - b).abs() > TRIFLE * a.max(b)
}

fn waits_differ(a: Duration, b: Duration) -> bool {
    let gap = a.abs_diff(b);
    gap > SHORT && gap.as_secs_f64() > TRIFLING_WAIT * a.max(b).as_secs_f64()
}

/// Processors as far as they can be meant; what cannot be a number of them is none.
fn amount(told: f32) -> f64 {
    if told.is_finite() { f64::from(told).clamp(0.0, MOST) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: NodeId = NodeId(2);
    const FIGLET: FunctionId = FunctionId(7);

    fn take(heard: &mut Heard, said: &LeaseWord) -> News {
        heard.take(Time::default(), B, said, &[(FIGLET, ())].into())
    }

    fn word() -> LeaseWord {
        LeaseWord { capacity: 4.0, headroom: 2.0, free: 1.0, grant: 1.0, ask: 0.5, ..LeaseWord::default() }
    }

    #[test]
    fn what_cannot_be_meant_is_nothing() {
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0] {
            let mut heard = Heard::default();
            let said = LeaseWord {
                capacity: odd,
                demand: odd,
                level: odd,
                headroom: odd,
                free: odd,
                ask: odd,
                grant: odd,
                costs: vec![(FIGLET, odd)],
                ..LeaseWord::default()
            };
            take(&mut heard, &said);
            let word = heard.word(B).unwrap();
            let numbers = [word.capacity, word.demand, word.headroom, word.free, word.ask, word.grant];
            assert_eq!(numbers, [0.0; 6], "{odd}");
            assert_eq!(word.cost(FIGLET, 0.3), 0.3);
        }
    }

    #[test]
    fn nobody_gives_more_than_it_says_it_has() {
        let mut heard = Heard::default();
        take(&mut heard, &LeaseWord { headroom: 1e30, free: 1e30, grant: 1e30, ..word() });
        let told = heard.word(B).unwrap();
        assert_eq!((told.headroom, told.free, told.grant), (4.0, 4.0, 4.0));
        for flags in [lease_flag::SENDER, lease_flag::DRAINING, 255] {
            take(&mut heard, &LeaseWord { flags, ..word() });
            let told = heard.word(B).unwrap();
            assert_eq!((told.headroom, told.free, told.grant, told.gives()), (0.0, 0.0, 0.0, false));
        }
    }

    #[test]
    fn costs_stay_until_others_are_told_and_only_those_of_known_functions_count() {
        let mut heard = Heard::default();
        let many = (0..100_000).map(|id| (FunctionId(id), 0.5)).collect();
        take(&mut heard, &LeaseWord { costs: many, ..word() });
        take(&mut heard, &word());
        assert_eq!(heard.word(B).unwrap().costs, [(FIGLET, 0.5)].into());
        assert_eq!(heard.hint(FIGLET), Some(0.5));
        take(&mut heard, &LeaseWord { costs: vec![(FIGLET, 0.25)], ..word() });
        assert_eq!(heard.word(B).unwrap().cost(FIGLET, 9.0), 0.25);
    }

    #[test]
    fn the_first_word_and_another_role_are_news() {
        let mut heard = Heard::default();
        let all =
            News { first: true, role: true, ask: true, lease: true, cut: false, load: true, wait: true };
        let none = News::default();
        assert_eq!(take(&mut heard, &word()), all);
        assert_eq!(take(&mut heard, &word()), none);
        let sender = LeaseWord { flags: lease_flag::SENDER, ..word() };
        assert_eq!(
            take(&mut heard, &sender),
            News { role: true, lease: true, cut: true, ..none },
            "it grants nothing"
        );
        heard.forget(Time(Duration::from_secs(4)), Duration::from_millis(3_500), &[(B, ())].into());
        assert_eq!(take(&mut heard, &word()), all);
    }

    #[test]
    fn a_word_tells_what_of_it_is_new() {
        let mut heard = Heard::default();
        take(&mut heard, &word());
        let none = News::default();
        let ask = LeaseWord { ask: 0.6, ..word() };
        assert_eq!(take(&mut heard, &ask), News { ask: true, ..none });
        let busier = LeaseWord { demand: 1.0, wait: 30_000, ..ask.clone() };
        assert_eq!(take(&mut heard, &busier), News { load: true, wait: true, ..none });
        assert_eq!(take(&mut heard, &LeaseWord { demand: 0.5, ..busier.clone() }), none);
        assert_eq!(take(&mut heard, &busier), News { load: true, ..none });
        let trifle = LeaseWord { grant: 1.005, wait: 30_900, demand: 1.04, ask: 0.61, ..busier.clone() };
        assert_eq!(take(&mut heard, &trifle), none);
        let costs = LeaseWord { costs: vec![(FIGLET, 0.2)], grant: 0.5, ..trifle };
        assert_eq!(take(&mut heard, &costs), News { lease: true, cut: true, ..none });
    }
}
