//! What a decision costs: how much is done, which is tested, and how long it takes, which is printed:
//!
//! `cargo test --release -p dfaas-userspace --lib cost_tests -- --nocapture`

use std::path::Path;
use std::time::{Duration, Instant};

use dfaas_control::LeaseWord;

use super::*;
use crate::dataplane::{Invocations, Origin, Snapshot, map_entry};
use crate::discovery::ListedFunction;
use crate::machine::Reading;

const NEIGHBOURS: usize = 16;
const FUNCTIONS: usize = 200;
const TURNS: u32 = 40;

/// `lease` draws nothing.
struct NoDice;

impl Random for NoDice {
    fn next_u64(&mut self) -> u64 {
        panic!("lease drew a random number")
    }
}

/// A node with neighbours and functions, asked for twice of what it can do.
struct Loaded {
    core: Core,
    now: Duration,
    invocations: u64,
}

fn name(function: usize) -> String {
    format!("function-{function}")
}

fn peer(index: usize) -> String {
    format!("peer-{index}")
}

impl Loaded {
    fn new() -> Self {
        let peers: String = (0..NEIGHBOURS)
            .map(|index| {
                format!(
                    "[[static_peer]]\nname = \"{}\"\naddress = \"198.51.100.{}\"\n",
                    peer(index),
                    index + 1
                )
            })
            .collect();
        let text = format!(
            "[dataplane]\ninterfaces = [\"eth0\"]\nlisten = [\"192.0.2.1:8080\"]\n{peers}[control]\nstrategy = \"lease\"\n"
        );
        let none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let config = crate::config::parse(&text, Path::new("a"), "a", &none).unwrap();
        let mut core = Core::new(&config, None).unwrap();
        let listed: Vec<ListedFunction> = (0..FUNCTIONS)
            .map(|function| {
                let labels = [("dfaas.maxrate".to_owned(), "100".to_owned())].into();
                ListedFunction { name: name(function), labels, ..ListedFunction::default() }
            })
            .collect();
        core.told(Time::default(), None, Ok(Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new())));
        let mut loaded = Self { core, now: Duration::ZERO, invocations: 0 };
        for _ in 0..5 {
            loaded.tick();
            for peer in 0..NEIGHBOURS {
                loaded.hear(peer, 0.1);
            }
        }
        loaded
    }

    fn at(&self) -> Time {
        Time(self.now)
    }

    /// What the data plane counted: of each function something from users and peers, here and to three peers.
    fn snapshot(&self) -> Snapshot {
        let line = |function, origin, backend: String| Invocations {
            function: name(function),
            origin,
            backend,
            count: self.invocations,
            answers: [0, 0, self.invocations, 0, 0, 0],
            ..Invocations::default()
        };
        let lines = (0..FUNCTIONS).flat_map(|function| {
            let to_peers =
                (0..3).map(move |more| line(function, Origin::User, peer((function + more) % NEIGHBOURS)));
            [Origin::User, Origin::Peer]
                .into_iter()
                .map(move |origin| line(function, origin, "local".to_owned()))
                .chain(to_peers)
        });
        Snapshot { invocations: lines.collect(), ..Snapshot::default() }
    }

    /// A period passes, in which every line of the counters grows by one.
    fn tick(&mut self) -> Duration {
        self.now += Duration::from_secs(1);
        self.invocations += 1;
        let (now, snapshot) = (self.at(), self.snapshot());
        let machine = Reading { cores: Some(4.0), ..Reading::default() };
        let begun = Instant::now();
        self.core.decide(now, Some(snapshot), machine, &mut NoDice);
        begun.elapsed()
    }

    /// A neighbour says that it gives so many processors.
    fn hear(&mut self, index: usize, grant: f32) -> (Next, Duration) {
        let word = LeaseWord {
            capacity: 8.0,
            demand: 1.0,
            level: 0.9,
            headroom: 6.0,
            free: 5.0,
            wait: 1000,
            grant,
            ..LeaseWord::default()
        };
        let (now, from) = (self.at(), NodeId::from_name(&peer(index)));
        let begun = Instant::now();
        let next = self.core.on_message(now, from, &Message::Lease(word));
        (next, begun.elapsed())
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{what:60} {:>6} us, at most {:>6} us", median.as_micros(), longest.as_micros());
}

#[test]
fn words_that_say_nothing_new_cause_no_plan_and_none_causes_many() {
    let mut loaded = Loaded::new();
    loaded.tick();
    // One period of a quiet federation: every neighbour says what it said before.
    let quiet = (0..NEIGHBOURS).filter(|peer| loaded.hear(*peer, 0.1).0 == Next::Write).count();
    assert_eq!(quiet, 0, "plans set by words that say nothing new");
    loaded.tick();
    let news = (0..NEIGHBOURS).filter(|peer| loaded.hear(*peer, 0.5).0 == Next::Write).count();
    assert_eq!(news, 0, "others may come with them");
    let due = loaded.core.next_due().expect("there is more to use");
    assert!(due <= loaded.at().after(Duration::from_millis(100)), "{due:?}");
    assert_eq!(loaded.core.work_out(due), Next::Write, "one plan for all of them");
}

#[test]
fn what_a_period_costs_with_sixteen_neighbours_and_two_hundred_functions() {
    let mut loaded = Loaded::new();
    let (mut ticks, mut wanted, mut entries, mut words) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        ticks.push(loaded.tick());
        let now = loaded.at();
        let begun = Instant::now();
        let told = loaded.core.wanted(now);
        wanted.push(begun.elapsed());
        assert_eq!(told.plans.len(), FUNCTIONS);
        let begun = Instant::now();
        for plan in told.plans.values() {
            let number = |target: &crate::dataplane::Target| match target {
                crate::dataplane::Target::Peer(name) => Ok(name.len() as u32),
                _ => Ok(0),
            };
            map_entry(plan, 0, number).expect("plans of a strategy fit");
        }
        entries.push(begun.elapsed());
        let grant = if turn % 2 == 0 { 0.1 } else { 0.11 };
        let heard: Duration = (0..NEIGHBOURS).map(|peer| loaded.hear(peer, grant).1).sum();
        let begun = Instant::now();
        if let Some(due) = loaded.core.next_due() {
            loaded.core.work_out(due);
        }
        words.push(heard + begun.elapsed());
    }
    println!("{NEIGHBOURS} neighbours, {FUNCTIONS} functions, median of {TURNS} periods:");
    print("measuring and the strategy's tick", ticks);
    print("its plan in the words of the data plane", wanted);
    print("that as entries of the map", entries);
    print("a word of each neighbour", words);
}
