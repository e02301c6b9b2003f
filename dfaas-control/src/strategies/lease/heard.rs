use std::collections::BTreeMap;
use std::time::Duration;

use super::level::Load;
use crate::command::{LeaseWord, lease_flag};
use crate::estimate::usable_cost;
use crate::id::{FunctionId, NodeId, Time};

/// No node has more processors than this.
const MOST: f64 = 65_536.0;

/// A part of an ask, a grant, a demand or a wait that differs less can wait for the next tick, as can any wait that
/// differs less than `SHORT`.
const NOTABLE: f64 = 0.01;
const NOTABLE_WAIT: f64 = 0.2;
const SHORT: Duration = Duration::from_millis(1);

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
    /// What it said when it last mattered.
    acted: Matter,
}

/// What of a word changes plans and grants before the next tick.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Matter {
    ask: f64,
    grant: f64,
    demand: f64,
    wait: Duration,
}

impl Matter {
    /// Whether others say notably else. They are compared with the last that mattered, so that small steps add up.
    fn differs(&self, now: &Self) -> bool {
        let pairs = [(self.ask, now.ask), (self.grant, now.grant), (self.demand, now.demand)];
        let (least, most) = (self.wait.min(now.wait), self.wait.max(now.wait));
        pairs.iter().any(|(a, b)| (a - b).abs() > NOTABLE * a.max(*b))
            || most - least > SHORT.max(most.mul_f64(NOTABLE_WAIT))
    }
}

/// What is new in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct News {
    /// It is the first one, or the first for long.
    pub first: bool,
    /// It changes what the peer may be asked for.
    pub role: bool,
    /// It is worth a look at plans and grants before the next tick.
    pub matters: bool,
}

/// What peers said last.
#[derive(Debug, Default)]
pub(super) struct Heard {
    words: BTreeMap<NodeId, Word>,
    reports: u64,
}

impl Heard {
    /// Forgets nodes that are no peers any more, and what was said longer than `lifetime` ago.
    pub(super) fn forget<T>(&mut self, now: Time, lifetime: Duration, peers: &BTreeMap<NodeId, T>) {
        self.words.retain(|node, word| peers.contains_key(node) && now.since(word.at) < lifetime);
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
        let mut priced = !said.costs.is_empty();
        if let Some(before) = before {
            if priced {
                priced = before.costs != costs;
            } else {
                // Costs are told to those that ask; they are as good as they were.
                costs = std::mem::take(&mut before.costs);
            }
        }
        let mut word = Word {
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
            acted: Matter { ask: 0.0, grant: 0.0, demand: 0.0, wait: Duration::ZERO },
        };
        word.acted = Matter { ask: word.ask, grant: word.grant, demand: word.demand, wait: word.wait };
        let role = |word: &Word| (word.sender, word.draining);
        let now_is = role(&word);
        let before = self.words.get(&from);
        let (first, role) = (before.is_none(), before.is_none_or(|before| role(before) != now_is));
        let matters = priced || role || before.is_none_or(|before| before.acted.differs(&word.acted));
        if let Some(before) = before.filter(|_| !matters) {
            word.acted = before.acted;
        }
        self.words.insert(from, word);
        News { first, role, matters }
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
        assert_eq!(take(&mut heard, &word()), News { first: true, role: true, matters: true });
        assert_eq!(take(&mut heard, &word()), News { first: false, role: false, matters: false });
        let sender = LeaseWord { flags: lease_flag::SENDER, ..word() };
        assert_eq!(take(&mut heard, &sender), News { first: false, role: true, matters: true });
        heard.forget(Time(Duration::from_secs(4)), Duration::from_millis(3_500), &[(B, ())].into());
        assert_eq!(take(&mut heard, &word()), News { first: true, role: true, matters: true });
    }

    #[test]
    fn small_steps_matter_once_they_have_added_up() {
        let mut heard = Heard::default();
        take(&mut heard, &word());
        let matters =
            |heard: &mut Heard, grant, wait| take(heard, &LeaseWord { grant, wait, ..word() }).matters;
        let steps: Vec<bool> =
            (1..=4).map(|step| matters(&mut heard, 1.0 - 0.004 * step as f32, 0)).collect();
        assert_eq!(steps, [false, false, true, false]);
        assert!(!matters(&mut heard, 0.984, 900) && matters(&mut heard, 0.984, 1_500));
        assert!(!matters(&mut heard, 0.984, 1_600), "one tenth of a millisecond more");
        let priced = |cost| LeaseWord { costs: vec![(FIGLET, cost)], grant: 0.984, wait: 1_600, ..word() };
        assert!(take(&mut heard, &priced(0.25)).matters && !take(&mut heard, &priced(0.25)).matters);
        assert!(take(&mut heard, &priced(0.5)).matters);
    }
}
