//! Every technique in the engine.

use dfaas_sim::techniques::TECHNIQUES;
use dfaas_sim::{Outcome, Scenario, run};

/// Four nodes of two processors, all neighbours, whose operators type what each of them serves. Users of node 0 ask for one
/// and a half times what it has, the others for a fifth.
fn four(technique: &str) -> Outcome {
    let rates: String = [(0, 100), (1, 13), (2, 13), (3, 13)]
        .map(|(node, rate)| {
            format!("[[load.rates]]\nnode = {node}\nfunction = \"thirty\"\nrate = {rate}.0\n")
        })
        .concat();
    let text = format!(
        r#"
warmup = "35s"
duration = "30s"
[nodes]
count = 4
cores = [2]
patience = 0.9
label_rates = 0.9
[network]
everybody = true
rtt = "4ms"
[[functions]]
name = "thirty"
cpu = "30ms"
{rates}"#
    );
    let scenario = Scenario::parse(&text).expect("a sound scenario");
    run(&scenario, technique, 1).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn techniques_that_share_serve_more_than_each_node_by_itself() {
    let base = four("dfaas-base");
    assert!(base.forwarded == 0.0 && base.control_bytes_per_node_s == 0.0);
    for name in TECHNIQUES.iter().filter(|name| **name != "dfaas-base") {
        let outcome = four(name);
        assert!(outcome.forwarded > 0.1, "{name}: {}", outcome.forwarded);
        assert!(outcome.goodput > base.goodput + 0.05, "{name}: {} {}", outcome.goodput, base.goodput);
    }
}

#[test]
fn techniques_that_tell_each_other_how_they_are_pay_for_it_in_bytes() {
    for name in ["auction", "dfaas-empirical", "dfaas-power-saving", "serverledge", "p2c-per-request"] {
        assert!(four(name).control_bytes_per_node_s > 10.0, "{name}");
    }
    assert_eq!(four("dfaas-random").control_bytes_per_node_s, 0.0);
}

#[test]
fn two_probes_for_each_request_find_the_shorter_queue() {
    let outcome = four("p2c-per-request");
    assert!(outcome.goodput > 0.995, "{}", outcome.goodput);
    assert!(outcome.p99 < four("p2c").p99 * 1.5, "{} {}", outcome.p99, four("p2c").p99);
}
