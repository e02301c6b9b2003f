//! Clients whose TCP knows less: no timestamps, no SACK, no window scaling.

use std::time::{Duration, Instant};

use dfaas_tests::Namespace;
use dfaas_tests::invocation::{body, call};
use dfaas_tests::settings::INVOCATION_PORT;

use crate::site::{Plan, Site, check_echo, echoes};

const LARGE: usize = 20_000_000;

fn switch_off(users: &Namespace, options: &[&str]) {
    for option in options {
        let set = || std::fs::write(format!("/proc/sys/net/ipv4/tcp_{option}"), "0");
        users.run(set).unwrap().unwrap();
    }
}

/// Checks by what the kernel tells of the user's open connection that these options are off and the others on.
fn check_options(site: &Site, off: &[&str]) {
    let filter = format!("dport = :{INVOCATION_PORT}");
    let told = site.lab.users(1).output("ss", &["-tinoH", "state", "established", &filter], "").unwrap();
    for (option, word) in [("timestamps", " ts "), ("sack", " sack "), ("window_scaling", " wscale:")] {
        assert_eq!(told.contains(word), !off.contains(&option), "{option}: {told}");
    }
}

/// The time of one large body there and back.
fn time_of_large(site: &Site, node: u8) -> Duration {
    let sent = body(LARGE);
    let (answer, time) = site.client(|| async {
        let mut connection = site.connect().await;
        let start = Instant::now();
        let answer = connection.exchange(call("echo", sent.clone())).await.unwrap();
        (answer, start.elapsed())
    });
    check_echo(&answer, &sent, node);
    time
}

/// The same bodies straight to the gateways, then through the programs.
fn without(options: &[&str]) {
    for (plan, node) in [(Plan::alone(), 1), (Plan::all_to_a_peer(), 2)] {
        let mut site = Site::gateways_only(&plan);
        switch_off(&site.lab.users(1), options);
        let direct = time_of_large(&site, 1);
        site.start_agents();
        let steered = time_of_large(&site, node);
        println!(
            "client without {}: 20 MB there and back in {steered:.2?} by node {node}, {direct:.2?} with no program",
            options.join(", ")
        );
        site.client(|| async {
            let mut connection = site.connect().await;
            echoes(&mut connection, &[0, 1, 1_000, 100_000, 5_000_000, 1_000], node).await;
            check_options(&site, options);
        });
    }
}

#[test]
fn a_client_without_timestamps_gets_its_bodies_back() {
    without(&["timestamps"]);
}

#[test]
fn a_client_without_selective_acknowledgments_gets_its_bodies_back() {
    without(&["sack"]);
}

#[test]
fn a_client_without_window_scaling_gets_its_bodies_back() {
    without(&["window_scaling"]);
}

#[test]
fn a_client_without_any_option_gets_its_bodies_back() {
    without(&["timestamps", "sack", "window_scaling"]);
}
