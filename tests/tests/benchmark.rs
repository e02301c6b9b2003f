//! The benchmark's parts together: its server, its caller, and the ways that need nothing but DFaaS. Speed is not judged.

use dfaas_tests::bench::{Programs, Site, Way, Workload};
use dfaas_tests::{Family, dfaas_binary};

#[test]
fn each_workload_meets_no_error_without_a_data_plane_with_one_and_through_a_pair_of_nodes() {
    let ways = [Way::Direct, Way::Local, Way::Peer];
    let traffic = env!("CARGO_BIN_EXE_traffic").into();
    let programs = Programs { dfaas: dfaas_binary().unwrap(), traffic, haproxy: None };
    for family in [Family::V4, Family::V6] {
        let mut site = Site::new(family, &ways, &programs).unwrap();
        for workload in Workload::ALL {
            for way in ways {
                // The caller checks that each answer is right and comes from the node that the way leads to, and the
                // site that the data plane has steered what it says.
                let run = site.run(way, workload, 0.1, 0.5).unwrap();
                let said = format!("{} by {} over {}", workload.name(), way.name(), family.name());
                assert_eq!(run.errors, [].into(), "{said}");
                assert!(run.requests > 0 && run.cpu_us_per_request > 0.0, "{said}: {run:?}");
                println!("{said}: {run:?}");
            }
        }
    }
}
