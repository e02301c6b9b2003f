//! Random draws follow the shares of a plan: Pearson's test over as many targets as a plan has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use dfaas_common::count::{LOCAL, REJECT};
use dfaas_common::pick::{draw, pick};
use dfaas_common::plan::{MAX_TARGETS, Plan, WHOLE, mode};
use dfaas_common::translate::flag::{ACK, PSH};
use dfaas_tests::statistics::chi_square;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::bench::{Bench, address};
use crate::segment::Segment;
use crate::story::{Client, REQUEST};
use crate::world::{Family, World, in_every_world};

/// Draws of one test.
const DRAWS: u64 = 20_000;

/// Clients that ask at the same time: fewer than a bench has flows.
const CLIENTS: u16 = 50;

/// The chi-square distribution of 17 degrees of freedom (18 targets) exceeds this once in 10^7 times. For an odd number
/// of degrees k it exceeds x with probability erfc(sqrt(x/2)) + sqrt(2x/pi) exp(-x/2) (1 + x/3 + x^2/(3*5) + ... up to
/// the power (k-3)/2) (Abramowitz and Stegun, 26.4.4). The kernel's random numbers take no seed, so the bound is chosen
/// for an alarm by mere chance in less than one of a million runs; Pearson's statistic of these draws, none of whose
/// expected counts is below 150, follows the distribution closely enough for that.
const BOUND: f64 = 66.11;

/// Uneven shares of all targets, each another: the gateway, sixteen peers, reject.
fn shares() -> Vec<(u32, u32)> {
    let backends = [LOCAL].into_iter().chain(1..=16).chain([REJECT]);
    // 512, 864, 1216 and so on; the last takes what is left.
    let mut shares: Vec<_> = backends.zip(0..).map(|(backend, i)| (backend, 512 + 352 * i)).collect();
    let others: u32 = shares[..MAX_TARGETS - 1].iter().map(|(_, share)| share).sum();
    shares[MAX_TARGETS - 1].1 = WHOLE - others;
    // Not in the order of their sizes.
    let sizes: Vec<u32> = (0..MAX_TARGETS).map(|i| shares[i * 7 % MAX_TARGETS].1).collect();
    shares.iter_mut().zip(sizes).for_each(|(target, size)| target.1 = size);
    shares
}

fn weights(shares: &[(u32, u32)]) -> Vec<f64> {
    shares.iter().map(|(_, share)| f64::from(*share)).collect()
}

/// The counts are by chance as the shares say, and would not be so if two targets were taken for each other.
fn judge(counts: &[u64], shares: &[(u32, u32)]) {
    assert_eq!(counts.iter().sum::<u64>(), DRAWS);
    let statistic = chi_square(counts, &weights(shares));
    println!("chi-square {statistic:.1} of {counts:?}");
    assert!(statistic < BOUND, "chi-square {statistic} of {counts:?} for {shares:?}");
    let mut shifted = weights(shares);
    shifted.rotate_left(1);
    assert!(chi_square(counts, &shifted) > BOUND, "the test can tell");
}

/// The address of a peer of these stories.
fn peer(family: Family, number: u32) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(198, 51, 100, number as u8).into(),
        Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 100, 0, 0x11, 0x22, 0x33, number as u16).into(),
    }
}

/// Which target got a request.
fn target(segment: &Segment, world: World) -> usize {
    if segment.text().starts_with("HTTP/1.1 503 ") {
        return MAX_TARGETS - 1;
    }
    if segment.to == world.listen() {
        return 0;
    }
    let number = (1..=16).find(|number| peer(world.nodes, *number) == segment.to.0);
    number.unwrap_or_else(|| panic!("not sent to a target: {segment:?}")) as usize
}

fn draws_of_the_programs(world: World) {
    let mut bench = Bench::new(world);
    let shares = shares();
    for number in 1..=16 {
        let (at, source) = (address(peer(world.nodes, number)), address(world.data().0));
        bench.peer(number, |peer| {
            (peer.address, peer.source, peer.port) = (at, source, world.data().1.to_be());
            (peer.interface, peer.usable) = (1, 1);
        });
    }
    bench.plan(&shares, |plan| plan.mode = mode::SHARE);
    // The same first segments again and again, as if they had never come.
    let first = |port| Client::new(world, 41_000 + port).connect(&mut bench).segment(ACK | PSH, 0, 0);
    let requests: Vec<_> = (0..CLIENTS).map(first).map(|first| first.payload(REQUEST).bytes()).collect();
    let mut counts = [0; MAX_TARGETS];
    for _ in 0..DRAWS / u64::from(CLIENTS) {
        for request in &requests {
            counts[target(&bench.ingress_bytes(request).segment(), world)] += 1;
        }
        bench.age(Duration::from_secs(3600));
        bench.sweep();
        assert!(bench.flows().is_empty(), "all are forgotten");
    }
    judge(&counts, &shares);
}

in_every_world!(draws_of_the_programs);

#[test]
fn draws_of_pure_code_follow_the_shares() {
    let shares = shares();
    let mut plan = Plan::EMPTY;
    plan.set_shares(shares.iter().copied());
    for seed in 0..50 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut counts = [0; MAX_TARGETS];
        for _ in 0..DRAWS {
            let point = draw(mode::SHARE, random.random(), 0);
            counts[pick(&plan, point, 0).expect("a target") as usize] += 1;
        }
        judge(&counts, &shares);
    }
}

#[test]
fn draws_among_what_is_left_follow_its_shares() {
    let shares = shares();
    let mut plan = Plan::EMPTY;
    plan.set_shares(shares.iter().copied());
    for seed in 0..50 {
        let mut random = SmallRng::seed_from_u64(seed);
        // Half of the targets, others each time; one of them at least.
        let excluded = random.random::<u32>() & !(1 << random.random_range(0..MAX_TARGETS));
        let mut counts = [0; MAX_TARGETS];
        for _ in 0..DRAWS {
            let point = draw(mode::SHARE, random.random(), 0);
            counts[pick(&plan, point, excluded).expect("a target") as usize] += 1;
        }
        let weights = weights(&shares).into_iter().enumerate();
        let left: Vec<f64> = weights.map(|(i, w)| if excluded >> i & 1 == 1 { 0.0 } else { w }).collect();
        // Fewer targets have fewer degrees of freedom, for which the bound is wider still.
        let statistic = chi_square(&counts, &left);
        assert!(statistic < BOUND, "chi-square {statistic} of {counts:?} for {left:?}");
    }
}
