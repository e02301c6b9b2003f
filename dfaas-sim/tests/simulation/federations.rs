//! Small federations that every test can afford.

use dfaas_sim::{Scenario, run};

/// Nodes of two processors, all neighbours, 5 ms apart; a step to five times the load at a fifth of them.
pub fn small(more: &str) -> Scenario {
    let text = format!(
        r#"
warmup = "35s"
duration = "30s"
[nodes]
count = 10
cores = [2]
patience = 0.9
[network]
everybody = true
rtt = "5ms"
{more}
[[functions]]
name = "thirty"
cpu = "30ms"
[load]
utilisation = 0.6
step = {{ at = "5s", hot = 0.2, factor = 5.0 }}
"#
    );
    Scenario::parse(&text).expect("a sound scenario")
}

#[test]
fn nodes_that_share_serve_what_the_hot_ones_alone_cannot() {
    let scenario = small("");
    let [alone, lease, recalc, p2c] =
        ["alllocal", "lease", "recalc", "p2c"].map(|technique| run(&scenario, technique, 1).expect("a run"));
    assert!(alone.goodput < 0.85, "{}", alone.goodput);
    assert!(lease.goodput > 0.999 && lease.work > 0.999, "{} {}", lease.goodput, lease.work);
    assert!(p2c.goodput > 0.99 && recalc.goodput >= alone.goodput, "{} {}", p2c.goodput, recalc.goodput);
    assert_eq!((alone.forwarded, alone.control_bytes_per_node_s), (0.0, 0.0));
    assert!(lease.forwarded > 0.1 && lease.settle_s.is_some_and(|seconds| seconds <= 6.0), "{lease:?}");
}

#[test]
fn with_more_to_do_than_can_be_done_leases_do_most_of_it() {
    let text = r#"
warmup = "20s"
duration = "20s"
[nodes]
count = 20
cores = [2, 4]
patience = 0.9
[network]
rtt = "17ms"
[[functions]]
name = "eight"
cpu = "8ms"
[[functions]]
name = "quarter"
cpu = "250ms"
[load]
utilisation = 1.2
"#;
    let scenario = Scenario::parse(text).expect("a sound scenario");
    let work = |technique| run(&scenario, technique, 1).expect("a run").work;
    let (lease, others) = (work("lease"), ["p2c", "serverledge", "static", "nodemargin"].map(work));
    assert!(others.iter().all(|work| lease > *work), "{lease} {others:?}");
    assert!(lease > 0.94 / 1.2, "{lease}");
}

#[test]
fn all_strategies_meet_the_same_users() {
    let scenario = small("");
    let asked = |technique| -> Vec<u32> {
        let outcome = run(&scenario, technique, 3).expect("a run");
        outcome.series.iter().flatten().map(|second| second.asked).collect()
    };
    let alone = asked("alllocal");
    assert!(alone.iter().sum::<u32>() > 10_000);
    for technique in ["lease", "static", "random", "nodemargin", "external", "latency-threshold"] {
        assert_eq!(asked(technique), alone, "{technique}");
    }
}

#[test]
fn a_fifth_of_all_messages_may_be_lost() {
    let whole = run(&small(""), "lease", 1).expect("a run");
    let lossy = run(&small("loss = 0.2"), "lease", 1).expect("a run");
    assert!(lossy.goodput > 0.998, "{}", lossy.goodput);
    assert_ne!(lossy.series, whole.series, "loss changes the course");
}

#[test]
fn without_any_message_a_federation_is_as_good_as_no_federation() {
    let scenario = small("loss = 1.0");
    let [alone, lease] = ["alllocal", "lease"].map(|technique| run(&scenario, technique, 1).expect("a run"));
    assert_eq!(lease.forwarded, 0.0);
    // It refuses at once what could only be late, and so next to nothing is.
    let gain = lease.goodput - alone.goodput;
    assert!((0.0..0.05).contains(&gain), "{} {}", alone.goodput, lease.goodput);
    assert!(alone.ends.late > 100 && lease.ends.late < 10, "{:?} {:?}", alone.ends, lease.ends);
    assert!(lease.ends.limited > 0 && lease.ends.full == 0, "{:?}", lease.ends);
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let said = run(&small(""), "leese", 1).expect_err("no strategy").to_string();
    assert!(said.starts_with("unknown strategy \"leese\""), "{said}");
}
