//! Very many requests on kept connections while plans change and packets are lost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dfaas_tests::Family;
use dfaas_tests::firewall::Loss;
use dfaas_tests::http::Connection;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

use crate::site::{FUNCTIONS, Site, request, right};
use crate::steering::{Shares, Steering, WHOLE, happened};

const CONNECTIONS: usize = 200;

/// Time between two changes of the plans.
const CHANGE: Duration = Duration::from_secs(1);

/// What the plans of a function are in turn. None has all three nodes, so that each tells something.
const PLANS: [Shares; 6] = [
    [WHOLE, 0, 0],
    [0, WHOLE, 0],
    [0, WHOLE / 4, WHOLE / 4 * 3],
    [WHOLE / 2, 0, WHOLE / 2],
    [0, 0, WHOLE],
    [WHOLE / 4 * 3, WHOLE / 4, 0],
];

/// A plan that was written: between which times, and what it says.
#[derive(Debug, Clone, Copy)]
struct Written {
    began: Instant,
    done: Instant,
    shares: Shares,
}

/// An answer that was right.
#[derive(Debug, Clone, Copy)]
struct Served {
    connection: u64,
    function: usize,
    asked: Instant,
    answered: Instant,
    node: usize,
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// One user: requests one after the other until all are sent.
async fn user(
    mut connection: Connection,
    seed: u64,
    next: Arc<AtomicUsize>,
    count: usize,
) -> Result<Vec<Served>, String> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut served = Vec::new();
    loop {
        let serial = next.fetch_add(1, Ordering::Relaxed);
        if serial >= count {
            return Ok(served);
        }
        let function = random.random_range(0..FUNCTIONS.len());
        let largest = [0, 100, 1_400, 20_000][random.random_range(0..4usize)];
        let mut body = vec![0; random.random_range(0..=largest)];
        random.fill(body.as_mut_slice());
        let body = Bytes::from(body);
        let asked = Instant::now();
        let exchange = connection.exchange(request(FUNCTIONS[function], serial, body.clone()));
        let answer = tokio::time::timeout(Duration::from_secs(60), exchange).await;
        let at = |what: String| format!("request {serial} on {}: {what}", connection_name(seed));
        let answer = answer.map_err(|_| at("no answer".to_owned()))?.map_err(|e| at(format!("{e:#}")))?;
        let node = right(&answer, FUNCTIONS[function], serial, &body).map_err(at)?;
        served.push(Served { connection: seed, function, asked, answered: Instant::now(), node });
    }
}

fn connection_name(seed: u64) -> String {
    format!("the connection of seed {seed}")
}

/// Writes plans in turn until told to stop; what was written for each function.
fn change(steering: &mut Steering, over: &AtomicBool, written: &Mutex<[Vec<Written>; 3]>) {
    for turn in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        for (function, name) in FUNCTIONS.iter().enumerate() {
            let shares = PLANS[(turn + 2 * function) % PLANS.len()];
            let began = Instant::now();
            steering.write(name, shares);
            let entry = Written { began, done: Instant::now(), shares };
            written.lock().unwrap()[function].push(entry);
        }
        std::thread::sleep(CHANGE);
    }
}

/// The plans of its function that were in force at some time between the request and its answer.
fn in_force<'a>(written: &'a [Written], served: &Served) -> &'a [Written] {
    let last = written.partition_point(|plan| plan.began <= served.answered);
    let first = written[..last].iter().rposition(|plan| plan.done <= served.asked).unwrap_or(0);
    &written[first..last]
}

/// Of each plan the answers that belong to it alone, by node, against its shares.
fn check_shares(written: &[Vec<Written>; 3], served: &[Served]) {
    let mut counts: BTreeMap<Shares, [f64; 3]> = BTreeMap::new();
    for one in served {
        if let [plan] = in_force(&written[one.function], one) {
            counts.entry(plan.shares).or_default()[one.node - 1] += 1.0;
        }
    }
    for (shares, counts) in counts {
        let total: f64 = counts.iter().sum();
        for (share, count) in shares.into_iter().zip(counts) {
            let share = f64::from(share) / f64::from(WHOLE);
            if share == 0.0 {
                assert_eq!(count, 0.0, "{shares:?} gave {counts:?}");
                continue;
            }
            // Five standard deviations, and what loss delays into the time of another plan.
            let margin = 5.0 * (total * share * (1.0 - share)).sqrt() + 0.02 * total;
            assert!((count - total * share).abs() <= margin, "{shares:?} gave {counts:?}");
        }
    }
}

/// Requests of users of this family, which is the one between the nodes too.
fn requests(family: Family) {
    let count = number("DFAAS_REQUESTS", 10_000);
    let seed = number("DFAAS_SEED", rand::random::<u32>() as usize) as u64;
    println!("DFAAS_SEED={seed}");
    let site = Site::new(family);
    let mut steering = Steering::new(&site, &FUNCTIONS);
    site.hold();
    let losses = [2, 3].map(|node| Loss::start(&site.lab.node(node), 2).unwrap());
    let loss = Loss::start(&site.lab.users(1), 2).unwrap();
    let (over, written) = (AtomicBool::new(false), Mutex::new([const { Vec::new() }; 3]));
    let address = site.nodes[0].address();
    let started = Instant::now();
    let users = || async move {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for n in 0..CONNECTIONS as u64 {
            let next = next.clone();
            tasks.spawn(async move {
                let connection = Connection::open(address).await.map_err(|e| format!("{e:#}"))?;
                user(connection, seed.wrapping_add(n), next, count).await
            });
        }
        tasks.join_all().await
    };
    let outcomes = std::thread::scope(|scope| {
        scope.spawn(|| change(&mut steering, &over, &written));
        while written.lock().unwrap().iter().any(Vec::is_empty) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let outcomes = site.lab.users(1).block_on(users);
        over.store(true, Ordering::Relaxed);
        outcomes.unwrap()
    });
    let lost = loss.dropped().unwrap() + losses.iter().map(|loss| loss.dropped().unwrap()).sum::<u64>();
    println!("{family:?}: {count} requests in {:.1?}, {lost} packets lost", started.elapsed());
    drop((loss, losses));
    let happened = happened(&site);
    println!("{happened:?}");
    site.let_go();
    let (served, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let failed: Vec<_> = failed.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{} connections failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    let served: Vec<Served> = served.into_iter().flatten().flatten().collect();
    assert_eq!(served.len(), count);
    let written = written.into_inner().unwrap();
    let of = |what: &str| *happened.get(what).unwrap_or(&0) as usize;
    // Where packets were lost so that a boundary is in doubt, a connection stays with its backend for good; where a SYN was
    // lost three times, the gateway of the node is the last resort.
    let (pinned, silent) = (of("pinned"), of("silent"));
    assert!(pinned * 20 <= CONNECTIONS, "{pinned} of {CONNECTIONS} connections were pinned");
    let stray = |one: &&Served| {
        in_force(&written[one.function], one).iter().all(|plan| plan.shares[one.node - 1] == 0)
    };
    let strays: BTreeMap<u64, Served> =
        served.iter().filter(stray).map(|one| (one.connection, *one)).collect();
    println!(
        "{pinned} connections were pinned and {silent} backends silent; {} connections had answers of others than planned",
        strays.len()
    );
    let (here, away): (Vec<&Served>, Vec<&Served>) = strays.values().partition(|one| one.node == 1);
    assert!(away.len() <= pinned, "{pinned} connections were pinned, but of others: {away:?}");
    assert!(here.len() <= pinned + silent, "{pinned} pinned, {silent} silent, but served here: {here:?}");
    let served: Vec<Served> =
        served.into_iter().filter(|one| !strays.contains_key(&one.connection)).collect();
    check_shares(&written, &served);
    assert!(lost > 200, "{lost}");
}

#[test]
fn very_many_requests_over_200_kept_connections_while_function_and_plan_change_with_loss() {
    requests(Family::V4);
}

#[test]
fn very_many_requests_over_200_kept_connections_of_ipv6_while_function_and_plan_change_with_loss() {
    requests(Family::V6);
}
