use dfaas_sim::techniques::{FunctionState, StateWord, Word};

use crate::host::{FUNCA, Host, function};

/// A neighbour with two processors.
fn neighbour(cpu: f64, instances: Option<u32>, memory_free: u64) -> Word {
    let state = |replicas| FunctionState {
        function: FUNCA,
        replicas,
        rate: 0.0,
        max_rate: None,
        time: 0.1,
        margin: 0.0,
        cpu: 0.05,
        overloaded: false,
    };
    let functions = instances.map(state).into_iter().collect();
    Word::State(StateWord { cores: 2.0, cpu, memory: 0.5, memory_free, functions })
}

const MIB: u64 = 1 << 20;

fn node() -> Host {
    let mut host = Host::new("serverledge", function(45.0, 10.0), 3);
    host.measured.node.cores = Some(4.0);
    host
}

#[test]
fn what_finds_no_processor_goes_to_any_neighbour_with_a_warm_instance_and_a_processor_free() {
    let mut host = node();
    host.hear(2, &neighbour(0.5, Some(1), 0));
    host.hear(3, &neighbour(0.51, Some(1), 0));
    host.hear(4, &neighbour(0.0, Some(2), 0));
    host.tick();
    assert_eq!(host.percent(), [(2, 50.0), (4, 50.0)].into());
    assert!(host.funca().local_first);
    assert_eq!(host.funca().local_inflight, Some(4), "one for each processor");
}

#[test]
fn if_nobody_has_a_warm_instance_it_goes_to_who_has_the_memory_for_one() {
    let mut host = node();
    host.hear(2, &neighbour(0.5, Some(0), 127 * MIB));
    host.hear(3, &neighbour(0.5, Some(0), 128 * MIB));
    host.hear(4, &neighbour(0.9, Some(0), 900 * MIB));
    host.tick();
    assert_eq!(host.percent(), [(3, 100.0)].into());
}

#[test]
fn if_nobody_can_take_it_it_is_refused() {
    let mut host = node();
    host.hear(2, &neighbour(0.9, Some(1), 900 * MIB));
    host.tick();
    assert_eq!(host.percent(), [(1, 100.0)].into());
    assert_eq!(host.funca().local_inflight, Some(4));
    assert_eq!(host.said.len(), 3, "it tells all how it is itself");
}
