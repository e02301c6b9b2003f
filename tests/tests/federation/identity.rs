//! One identity, two agents: somebody copied a machine with its key.

use dfaas_tests::settings::Overlay;

use crate::site::{Site, eventually, failures};

#[test]
fn two_agents_with_one_identity_are_named_and_disturb_nobody_else() {
    let mut site = Site::prepare(&[100, 100, 100, 100], |_, identities, agent, _| {
        let entrance: &[u8] = &[1, 2];
        agent.overlay = Some(Overlay { ..identities.overlay(entrance) });
    });
    // Node 4 is a copy of node 3, name and address apart.
    std::fs::copy(site.nodes[2].identity_file(), site.nodes[3].identity_file()).unwrap();
    for index in [1, 2, 3] {
        site.start_node(index);
    }
    site.formed(&[1, 2, 3]);
    let running = site.load(40.0, 20);
    site.start_node(4);
    eventually("one of the two says so", || {
        let conflict =
            |index: usize| site.nodes[index].json("status").unwrap()["overlay"]["conflict"] == true;
        (conflict(2) || conflict(3)).then_some(())
    });
    let healths: Vec<String> =
        [2, 3].iter().map(|index| site.nodes[*index].json("status").unwrap()["health"].to_string()).collect();
    assert!(healths.iter().any(|health| health.contains("with this node's identity")), "{healths:?}");
    let report = running.finish().unwrap();
    assert_eq!(report.total().failed, 0, "{}", failures(&report));
    assert!(site.nodes[0].usable_peers().unwrap().contains(&"node-2".to_owned()));
    site.check();
}
