//! A gateway that dies and comes back: its functions go elsewhere or are refused, those of the others are served as ever.

use std::time::{Duration, Instant};

use crate::site::{CLUSTER, Plan, Site, by};

/// Invocations of all functions, as many as are needed to meet every target of the plans.
fn pays(site: &Site) -> Vec<(u16, String, bool)> {
    (0..10).map(|n| site.call("pay", n * 100)).collect()
}

#[test]
fn without_a_peer_the_functions_of_a_gateway_that_died_are_refused_until_it_is_back() {
    let mut site = Site::new(&Plan::default());
    assert_eq!(site.call("pay", 1_000), by(CLUSTER));
    site.stop_cluster();
    assert_eq!(site.call("pay", 1_000).0, 503, "its refusal is seen at once, before any check");
    site.wait_healthy(CLUSTER, false);
    assert!(pays(&site).iter().all(|(status, _, _)| *status == 503));
    assert_eq!(site.call("home", 1_000), by("node-1"), "the own gateway's functions are served as ever");
    let functions = site.nodes[0].json("functions").unwrap();
    assert_eq!(functions["functions"].as_array().map(Vec::len), Some(4), "they stay known: {functions}");
    site.start_cluster();
    site.wait_healthy(CLUSTER, true);
    assert!(pays(&site).iter().all(|answer| *answer == by(CLUSTER)));
}

#[test]
fn with_a_peer_that_has_them_the_functions_of_a_gateway_that_died_are_served_there_and_no_user_notices() {
    let mut site = Site::new(&Plan { peer: Some((vec!["pay"], 50.0)), ..Plan::default() });
    let shared = |site: &Site| {
        let answers = pays(site);
        let here = answers.iter().filter(|answer| **answer == by(CLUSTER)).count();
        let there = answers.iter().filter(|answer| **answer == by("node-2")).count();
        assert_eq!(here + there, answers.len(), "{answers:?}");
        assert!((4..=6).contains(&here), "half of them: {answers:?}");
    };
    shared(&site);
    site.stop_cluster();
    // Before the checks notice, and after.
    for _ in 0..2 {
        let answers = pays(&site);
        assert!(answers.iter().all(|answer| *answer == by("node-2")), "{answers:?}");
        site.wait_healthy(CLUSTER, false);
    }
    site.start_cluster();
    site.wait_healthy(CLUSTER, true);
    shared(&site);
}

#[test]
fn a_gateway_that_is_cut_off_keeps_users_waiting_only_until_the_checks_notice() {
    let site = Site::new(&Plan::default());
    assert_eq!(site.call("pay", 1_000), by(CLUSTER));
    site.connect_container(false);
    site.wait_healthy(CLUSTER, false);
    let begun = Instant::now();
    assert_eq!(site.call("pay", 1_000).0, 503);
    println!("refused after {:?}", begun.elapsed());
    site.connect_container(true);
    site.wait_healthy(CLUSTER, true);
    assert_eq!(site.call("pay", 100_000), by(CLUSTER));
}

#[test]
fn an_agent_that_starts_again_finds_its_gateways_as_they_are() {
    let mut site = Site::new(&Plan::default());
    let quit = Some(nix::sys::signal::Signal::SIGQUIT);
    site.nodes[0].end_agent(quit, Duration::from_secs(10)).unwrap();
    assert_eq!(site.call("pay", 1_000), by(CLUSTER), "the kernel goes on without an agent");
    site.stop_cluster();
    site.nodes[0].start_agent().unwrap();
    site.wait_healthy(CLUSTER, false);
    assert_eq!(site.call("pay", 1_000).0, 503, "known from before although the gateway is away");
    site.start_cluster();
    site.wait_healthy(CLUSTER, true);
    assert_eq!(site.call("pay", 1_000), by(CLUSTER));
    assert_eq!(site.call("home", 1_000), by("node-1"));
}
