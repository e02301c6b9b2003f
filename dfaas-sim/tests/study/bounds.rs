use dfaas_sim::study::{RunBound, bound_of};
use dfaas_sim::{Federation, Scenario};

use super::desk::OVERLOAD;

fn bound(text: &str, strict: bool) -> RunBound {
    let scenario = Scenario::parse(text).expect("a scenario");
    bound_of(&scenario, &Federation::new(&scenario, 1), strict).expect("a bound")
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
}

#[test]
fn six_processors_serve_two_hundred_of_two_hundred_and_forty_requests() {
    let bound = bound(OVERLOAD, false);
    near(bound.asked, 20.0 * 240.0);
    near(bound.goodput, 200.0 / 240.0);
    near(bound.work, 200.0 / 240.0);
    near(bound.goodput_everyone, 200.0 / 240.0);
    assert_eq!(bound.windows.iter().map(|window| window.start_s).collect::<Vec<_>>(), [0.0, 10.0]);
}

#[test]
fn no_more_is_forwarded_than_must_be() {
    let calm = OVERLOAD.replace("rate = 200", "rate = 100");
    let bound = bound(&calm, false);
    near(bound.goodput, 1.0);
    // Node 0 serves two processors' worth of its 100 a second itself.
    near(bound.forwarded, (100.0 - 2.0 / 0.03) / 140.0);
}

#[test]
fn who_has_few_neighbours_loses_what_the_others_could_have_served() {
    let chain = OVERLOAD.replace("everybody = true", "links = [[0, 1]]");
    let bound = bound(&chain, false);
    near(bound.goodput, (4.0 / 0.03 + 20.0) / 240.0);
    near(bound.goodput_everyone, 200.0 / 240.0);
}

#[test]
fn a_strict_bound_lets_each_window_work_a_deadline_longer() {
    near(bound(OVERLOAD, true).goodput, 1.1 * 200.0 / 240.0);
}

#[test]
fn a_node_that_is_gone_serves_nothing_and_its_users_are_lost() {
    let killed = format!("{OVERLOAD}[[failures]]\nat = \"10s\"\nwhat = \"kill\"\nnodes = [1]\n");
    let windows = bound(&killed, false).windows;
    near(windows[0].goodput, 200.0 / 240.0);
    near(windows[1].goodput, (4.0 / 0.03) / 240.0);
    let half = killed.replace("at = \"10s\"", "at = \"5s\"\nuntil = \"10s\"");
    let windows = bound(&half, false).windows;
    near(windows[0].goodput, (5.0 / 0.03) / 240.0);
    near(windows[1].goodput, 200.0 / 240.0);
}

#[test]
fn who_is_slow_apart_mute_or_late_serves_less() {
    let with = |failure: &str| bound(&format!("{OVERLOAD}[[failures]]\nat = \"0s\"\n{failure}\n"), false);
    near(with("what = \"slow\"\nfactor = 2.0\nnodes = [1, 2]").goodput, (4.0 / 0.03) / 240.0);
    near(with("what = \"black-hole\"\nnodes = [2]").goodput, (4.0 / 0.03) / 240.0);
    near(with("what = \"partition\"\nnodes = [0]").goodput, (2.0 / 0.03 + 40.0) / 240.0);
    let late = OVERLOAD.to_owned() + "[[failures]]\nat = \"10s\"\nwhat = \"join\"\nnodes = [2]\n";
    let windows = bound(&late, false).windows;
    near(windows[0].goodput, (4.0 / 0.03) / 240.0);
    near(windows[1].goodput, 200.0 / 240.0);
}

#[test]
fn a_limit_of_a_function_at_each_node_binds() {
    let limited = OVERLOAD.replace("cpu = \"30ms\"", "cpu = \"30ms\"\nmax_rate = 40.0");
    near(bound(&limited, false).goodput, 120.0 / 240.0);
}

#[test]
fn a_peer_that_is_too_far_for_the_deadline_is_none() {
    let far = OVERLOAD.replace("rtt = \"4ms\"", "rtts_ms = [[0, 600, 600], [600, 0, 600], [600, 600, 0]]");
    near(bound(&far, false).goodput, (2.0 / 0.03 + 40.0) / 240.0);
}

/// Every node with room for so many MiB, and a function whose instances take 100 MiB and serve one request at a time.
fn with_memory(memory: u64) -> RunBound {
    let nodes = OVERLOAD.replace("count = 3", &format!("count = 3\nmemory = {memory}"));
    bound(&nodes.replace("cpu = \"30ms\"", "cpu = \"30ms\"\nmemory = 100\nconcurrency = 1"), false)
}

#[test]
fn memory_for_one_instance_is_as_good_as_one_processor() {
    near(with_memory(100).goodput, (3.0 / 0.03) / 240.0);
    near(with_memory(200).goodput, 200.0 / 240.0);
    near(with_memory(1000).goodput, 200.0 / 240.0);
}

#[test]
fn where_no_instance_fits_nothing_is_served() {
    near(with_memory(99).goodput, 0.0);
}

#[test]
fn no_run_serves_more_than_the_strict_bound_where_memory_is_short() {
    let nodes = OVERLOAD.replace("count = 3", "count = 3\nmemory = 100");
    let text = nodes.replace("cpu = \"30ms\"", "cpu = \"30ms\"\nmemory = 100\nconcurrency = 1");
    let scenario = Scenario::parse(&text).expect("a scenario");
    let strict = bound(&text, true).goodput;
    for technique in ["alllocal", "static", "p2c", "lease"] {
        let outcome = dfaas_sim::run(&scenario, technique, 1).expect("a run");
        // Users ask by chance for a few in a hundred less than the mean.
        assert!(outcome.goodput < strict * 1.05, "{technique}: {} of {strict}", outcome.goodput);
    }
}
