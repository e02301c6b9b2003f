//! How long `lease` takes for a tick and for the words of its neighbours between ticks:
//!
//! `cargo run --release -p dfaas-control --example tick_cost [NEIGHBOURS] [FUNCTIONS]`

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dfaas_control::{
    Command, FunctionId, FunctionMeasurements, LeaseWord, Measurements, Message, NodeId, NodeMeasurements,
    Options, PeerFunctions, PeerMeasurements, Random, Strategy, Time, strategy,
};

const TURNS: u32 = 200;

/// `lease` draws nothing.
struct NoDice;

impl Random for NoDice {
    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// A node whose users ask for twice of what it can do, of each function alike.
fn measurements(neighbours: u64, functions: u64) -> Measurements {
    let rate = 100.0;
    let function = FunctionMeasurements {
        user_rate: rate,
        max_rate: Some(rate / 2.0 * functions as f64),
        first_byte: Some(Duration::from_millis(5)),
        ..FunctionMeasurements::default()
    };
    let known: BTreeSet<FunctionId> = (0..functions).map(FunctionId).collect();
    let peer = PeerMeasurements {
        functions: PeerFunctions::Known(known.clone()),
        rtt: Some(Duration::from_millis(3)),
        ..PeerMeasurements::default()
    };
    Measurements {
        node: NodeMeasurements { cores: Some(4.0), ..NodeMeasurements::default() },
        functions: known.into_iter().map(|id| (id, function)).collect(),
        peers: (1..=neighbours).map(|node| (NodeId(node), peer.clone())).collect(),
    }
}

fn word(grant: f32) -> Message {
    Message::Lease(LeaseWord {
        capacity: 8.0,
        demand: 1.0,
        level: 0.9,
        headroom: 6.0,
        free: 6.0 - grant,
        wait: 1_000,
        grant,
        ..LeaseWord::default()
    })
}

fn plans(commands: &[Command]) -> usize {
    commands.iter().filter(|command| matches!(command, Command::SetPlan(_))).count()
}

/// The times of ticks and of all words of a period, and the plans that words caused in each period.
fn run(lease: &mut dyn Strategy, measured: &Measurements, grants: [f32; 2]) -> [Vec<u128>; 3] {
    let [mut ticks, mut words, mut caused] = [Vec::new(), Vec::new(), Vec::new()];
    for turn in 0..TURNS {
        let now = Time(Duration::from_secs(turn.into()));
        let begun = Instant::now();
        lease.on_tick(now, measured, &mut NoDice);
        ticks.push(begun.elapsed().as_micros());
        let (mut spent, mut set) = (Duration::ZERO, 0);
        for node in measured.peers.keys() {
            let said = word(grants[turn as usize % 2]);
            let begun = Instant::now();
            let commands = lease.on_message(now, *node, &said);
            spent += begun.elapsed();
            set += plans(&commands);
        }
        if let Some(due) = lease.due() {
            let begun = Instant::now();
            let commands = lease.on_due(due.max(now));
            spent += begun.elapsed();
            set += plans(&commands);
        }
        words.push(spent.as_micros());
        caused.push(set as u128);
    }
    [ticks, words, caused]
}

fn print(what: &str, mut numbers: Vec<u128>) {
    numbers.sort_unstable();
    let (median, most) = (numbers[numbers.len() / 2], numbers[numbers.len() - 1]);
    println!("  {what:40} median {median:>7}, at most {most:>7}");
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut number = |otherwise| arguments.next().and_then(Result::ok).unwrap_or(otherwise);
    let (neighbours, functions) = (number(16), number(200));
    let measured = measurements(neighbours, functions);
    println!("{neighbours} neighbours, {functions} functions, {TURNS} periods");
    // What is granted in even periods and in odd ones.
    let stories =
        [("words that say the same", [0.2, 0.2]), ("grants that change by a third each period", [0.2, 0.3])];
    for (story, grants) in stories {
        let mut lease = strategy("lease", &Options::default()).expect("a known name");
        let [ticks, words, caused] = run(&mut *lease, &measured, grants);
        println!("{story}:");
        print("a tick (us)", ticks);
        print("a word of each neighbour (us together)", words);
        print("plans set by these words", caused);
    }
}
