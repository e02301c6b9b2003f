//! Many sequences at a time, on both ways, while plans change.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aya::maps::{Array, Map, MapData};
use dfaas_common::ABI_VERSION;
use dfaas_common::flow::{Flow, state};
use dfaas_common::plan::mode;
use dfaas_tests::Family;
use dfaas_tests::firewall::Loss;
use tokio::task::JoinSet;

use crate::client::play;
use crate::heard::Heard;
use crate::make;
use crate::sequence::Sequence;
use crate::site::{FUNCTIONS, Site};
use crate::steering::{Shares, Steering, WHOLE, happened};

/// Sequences that are played at the same time.
const AT_ONCE: usize = 16;

/// Time between two changes of plans.
pub const CHANGE: Duration = Duration::from_millis(20);

/// How often a sequence is tried that may have failed by the chance of a draw.
const TRIES: usize = 8;

/// How long a simpler one is looked for.
const SHRINKING: Duration = Duration::from_secs(60);

/// What the plans of a function are in turn.
const PLANS: [Shares; 6] = [
    [WHOLE / 4, WHOLE / 4, WHOLE / 2],
    [0, WHOLE, 0],
    [0, WHOLE / 2, WHOLE / 2],
    [WHOLE, 0, 0],
    [WHOLE / 2, 0, WHOLE / 2],
    [0, 0, WHOLE],
];

/// A number from the environment.
pub fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Writes the plans of this turn, by both modes.
pub fn change_once(steering: &mut Steering, turn: usize) {
    for (n, function) in FUNCTIONS.iter().enumerate() {
        let mode = if (turn / 7 + n).is_multiple_of(2) { mode::SMOOTH } else { mode::SHARE };
        steering.write_as(mode, function, PLANS[(turn + 2 * n) % PLANS.len()]);
    }
}

/// Writes plans in turn until told to stop.
fn change(steering: &mut Steering, over: &AtomicBool) {
    for turn in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        change_once(steering, turn);
        std::thread::sleep(CHANGE);
    }
}

/// What was heard on both ways, or what is wrong with it.
async fn both(site: &Site, turn: usize, sequence: &Sequence) -> Result<Heard, String> {
    let [steered, plain] = site.ways(turn);
    let expected = play(plain, sequence).await.map_err(|error| format!("by the proxy: {error}"))?;
    let heard = play(steered, sequence).await.map_err(|error| format!("by the node: {error}"))?;
    match heard.differs(&expected) {
        Some(what) => Err(format!("here is the node, there the proxy: {what}")),
        None => Ok(heard),
    }
}

/// The simplest sequence found in some time that fails as well, and how it fails.
async fn shrink(site: &Site, turn: usize, mut sequence: Sequence) -> (Sequence, Option<String>) {
    let mut how = None;
    let until = Instant::now() + SHRINKING;
    loop {
        let mut simplest = None;
        'simpler: for simpler in sequence.simpler() {
            for _ in 0..TRIES {
                if Instant::now() >= until {
                    return (sequence, how);
                }
                if let Err(error) = both(site, turn, &simpler).await {
                    how = Some(error);
                    simplest = Some(simpler);
                    break 'simpler;
                }
            }
        }
        let Some(simpler) = simplest else { return (sequence, how) };
        sequence = simpler;
    }
}

/// Who answered how often, and that each told the right origin; failed sequences.
#[derive(Debug, Default)]
struct Outcome {
    by: BTreeMap<String, usize>,
    told_origin: usize,
    failed: Vec<(usize, String)>,
}

async fn all(site: Arc<Site>, seed: u64, count: usize, users: Vec<IpAddr>) -> Outcome {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (site, next, users) = (site.clone(), next.clone(), users.clone());
        workers.spawn(async move {
            let mut outcome = Outcome::default();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= count || outcome.failed.len() > 2 {
                    return outcome;
                }
                match both(&site, turn, &make::sequence(seed.wrapping_add(turn as u64))).await {
                    Err(error) => {
                        // At once, as others may wait for long.
                        println!("sequence {turn}: {error}");
                        outcome.failed.push((turn, error));
                    }
                    Ok(heard) => heard.answers.into_iter().for_each(|answer| {
                        if let Some(from) = answer.seen_from {
                            assert_eq!(
                                from,
                                users[turn % users.len()].to_string(),
                                "the origin is the user's"
                            );
                            outcome.told_origin += 1;
                        }
                        *outcome.by.entry(answer.node).or_default() += 1;
                    }),
                }
            }
        });
    }
    let mut all = Outcome::default();
    while let Some(outcome) = workers.join_next().await {
        let outcome = outcome.unwrap();
        outcome.by.into_iter().for_each(|(node, count)| *all.by.entry(node).or_default() += count);
        all.told_origin += outcome.told_origin;
        all.failed.extend(outcome.failed);
    }
    all.failed.sort();
    all
}

/// The flows of node 1 that are in use.
fn flows(site: &Site) -> Vec<Flow> {
    let path = site.lab.pin(1).join(format!("v{ABI_VERSION}/TABLE"));
    let table: Array<MapData, Flow> = Map::Array(MapData::from_pin(path).unwrap()).try_into().unwrap();
    table.iter().map_while(Result::ok).filter(|flow| flow.state != state::FREE).collect()
}

/// Plays sequences on both ways while `loss` percent of the packets are lost.
pub fn same_answers(family: Family, count: usize, loss: u8) {
    let seed = number("DFAAS_SEED", rand::random::<u32>() as usize) as u64;
    println!("DFAAS_SEED={seed}");
    let site = Arc::new(Site::new(family));
    let mut steering = Steering::new(&site, &FUNCTIONS);
    let namespaces = [site.lab.users(1), site.lab.node(2), site.lab.node(3)];
    let losses: Vec<_> = namespaces
        .iter()
        .filter(|_| loss > 0)
        .map(|namespace| Loss::start(namespace, loss).unwrap())
        .collect();
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let (outcome, simplest) = std::thread::scope(|scope| {
        scope.spawn(|| change(&mut steering, &over));
        let users = site.lab.users(1);
        let addresses = family.user_addresses(1, 0);
        let outcome = users.block_on(|| all(site.clone(), seed, count, addresses)).unwrap();
        let simplest = outcome.failed.first().map(|(turn, _)| {
            let failed = make::sequence(seed.wrapping_add(*turn as u64));
            users.block_on(|| shrink(&site, *turn, failed)).unwrap()
        });
        over.store(true, Ordering::Relaxed);
        (outcome, simplest)
    });
    println!("{count} sequences in {:.1?}: {:?}", started.elapsed(), outcome.by);
    let happened = happened(&site);
    println!("{happened:?}, {} origins told", outcome.told_origin);
    if !outcome.failed.is_empty() {
        flows(&site).iter().for_each(|flow| println!("{flow:?}"));
    }
    for (turn, error) in &outcome.failed {
        let seed = seed.wrapping_add(*turn as u64);
        println!("sequence of seed {seed}, number {turn}:\n{:?}\n{error}\n", make::sequence(seed));
    }
    if let Some((sequence, how)) = simplest {
        println!("the simplest that failed:\n{sequence:?}\n{}", how.unwrap_or_default());
    }
    assert!(outcome.failed.is_empty(), "{} sequences were answered otherwise", outcome.failed.len());
    let lost: u64 = losses.iter().map(|loss| loss.dropped().unwrap()).sum();
    println!("{lost} packets lost");
    // A sequence takes some 30 packets at the least.
    assert!(loss == 0 || lost > 10 + count as u64 / 10, "{lost} packets were lost");
    let total: usize = outcome.by.values().sum();
    for node in 1..=3 {
        let by = outcome.by.get(&format!("node-{node}")).copied().unwrap_or(0);
        assert!(by * 20 >= total, "each node has its part: {:?}", outcome.by);
    }
    assert!(outcome.told_origin > count / 20, "peers are told the origin");
}
