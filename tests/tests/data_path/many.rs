//! Very many short connections.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dfaas_tests::firewall::Loss;
use dfaas_tests::load::{Load, Report, run_closed};
use dfaas_tests::settings::node_name;
use dfaas_tests::statistics::{chi_square, p_value_of_three};
use dfaas_tests::{Topology, user_address};

use crate::site::{LIMIT, Plan, Site};

/// Percent that node 1 serves itself, and the shares of its peers in the rest, hence 40, 20 and 40 percent.
const LOCAL: f64 = 40.0;
const SHARES: [f64; 2] = [1.0, 2.0];
const WEIGHTS: [f64; 3] = [40.0, 20.0, 40.0];

/// How many invocations are under way at a time.
const WORKERS: usize = 64;

fn federation(users: u8) -> Site {
    Site::new(&Plan {
        topology: Topology { nodes: 3, users, ..Topology::default() },
        local: LOCAL,
        shares: SHARES.to_vec(),
        ..Plan::alone()
    })
}

/// So many connections, each closed after its one invocation, from all users in turn.
fn connections(site: &Site, users: u8, count: usize) -> Report {
    let sources = (0..users).map(|user| IpAddr::from(user_address(1, user))).collect();
    let load = Load {
        sources,
        body: Bytes::from_static(b"one of very many"),
        timeout: LIMIT,
        ..Load::new(site.nodes[0].address(), "echo", 0.0, Duration::ZERO)
    };
    let start = Instant::now();
    let report = site.lab.users(1).block_on(|| run_closed(load, WORKERS, count)).unwrap();
    println!(
        "{count} connections from {users} addresses: {:.0}/s",
        count as f64 / start.elapsed().as_secs_f64()
    );
    report
}

fn check(site: &Site, report: &Report, count: usize) {
    let total = report.total();
    let outcome = (total.ok, total.rejected, total.failed);
    assert_eq!(outcome, (count as u64, 0, 0), "{:?}", report.reasons());
    let served: Vec<_> = (1..=3).map(|n| total.by_node.get(&node_name(n)).copied().unwrap_or(0)).collect();
    let p = p_value_of_three(chi_square(&served, &WEIGHTS));
    println!("served by nodes 1, 2, 3: {served:?}, p = {p:.3}");
    assert!(p > 0.001, "shares are not as planned: {served:?}, p = {p}");
    for (backend, served) in ["local", "node-2", "node-3"].iter().zip(served) {
        assert_eq!(site.bound_to(backend), served as f64, "the data plane counts as the users do: {backend}");
    }
}

/// Until every node's table is empty, at most 70 seconds.
fn wait_for_empty_tables(site: &Site, limit: Duration) {
    let start = Instant::now();
    for node in &site.nodes {
        loop {
            let flows = node.metric("dfaas_flows", &[]).unwrap();
            if flows == 0.0 {
                break;
            }
            assert!(start.elapsed() < limit, "{flows} flows are left in {}", node.name());
            std::thread::sleep(Duration::from_millis(250));
        }
        assert_eq!(node.metric("dfaas_inflight", &[]).unwrap(), 0.0, "{}", node.name());
    }
    println!("flow tables empty after {:.0?}", start.elapsed());
}

#[test]
fn fifty_thousand_connections_from_four_users_meet_no_error_and_leave_nothing() {
    let site = federation(4);
    let report = connections(&site, 4, 50_000);
    check(&site, &report, 50_000);
    wait_for_empty_tables(&site, Duration::from_secs(70));
}

#[test]
fn a_user_with_few_ports_uses_them_again_and_again() {
    let site = federation(1);
    let range = || std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "10000 10999");
    site.lab.users(1).run(range).unwrap().unwrap();
    let report = connections(&site, 1, 8_000);
    check(&site, &report, 8_000);
}

#[test]
fn many_connections_survive_the_loss_of_packets() {
    let site = federation(4);
    let losses = [2, 3].map(|node| Loss::start(&site.lab.node(node), 2).unwrap());
    let loss = Loss::start(&site.lab.users(1), 2).unwrap();
    let report = connections(&site, 4, 3_000);
    assert_eq!((report.total().ok, report.total().failed), (3_000, 0), "{:?}", report.reasons());
    assert!(loss.dropped().unwrap() >= 100 && losses.iter().all(|loss| loss.dropped().unwrap() >= 20));
    drop((loss, losses));
    // A client's reset is sent once: where it was lost, the minute of a half-closed connection begins after the last
    // packet of the backend.
    wait_for_empty_tables(&site, Duration::from_secs(130));
}

#[test]
fn ten_thousand_connections_from_one_user_meet_no_error_and_leave_nothing() {
    let site = federation(1);
    let report = connections(&site, 1, 10_000);
    check(&site, &report, 10_000);
    wait_for_empty_tables(&site, Duration::from_secs(70));
}
