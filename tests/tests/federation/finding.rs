//! Ways to find others.

use dfaas_tests::settings::Overlay;

use crate::site::Site;

#[test]
fn nodes_of_one_network_find_each_other_by_multicast() {
    let site = Site::start(&[100, 100, 100], |_, identities, agent, _| {
        agent.overlay = Some(Overlay { bootstrap: Vec::new(), mdns: true, ..identities.overlay(&[]) });
    });
    assert_eq!(site.nodes[2].usable_peers().unwrap(), ["node-1", "node-2"]);
}

#[test]
fn a_swarm_key_alone_is_guard_enough_and_quic_is_left_out_then() {
    let key = std::env::temp_dir().join(format!("dfaas-federation-{}.swarm", std::process::id()));
    std::fs::write(&key, format!("/key/swarm/psk/1.0.0/\n/base16/\n{}\n", "5a".repeat(32))).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let site = Site::start(&[100, 100], |index, identities, agent, _| {
        let entrance: &[u8] = if index == 1 { &[] } else { &[1] };
        let overlay = identities.overlay(entrance);
        agent.overlay = Some(Overlay { allow: Vec::new(), psk_file: Some(key.clone()), ..overlay });
    });
    std::fs::remove_file(&key).unwrap();
    let status = site.nodes[0].json("status").unwrap();
    let listening = status["overlay"]["listening"].to_string();
    assert!(listening.contains("/tcp/") && !listening.contains("quic"), "{listening}");
    let log = site.nodes[0].agent_log();
    assert!(!log.contains("5a5a5a5a"), "the key is in no log");
}

#[test]
fn a_node_without_anybody_to_find_serves_its_users_and_says_that_it_is_alone() {
    let site = Site::start(&[100], |_, _, _, _| {});
    let report = site.load(20.0, 2).finish().unwrap();
    assert_eq!(report.total().ok, 40, "{:?}", report.reasons());
    let status = site.nodes[0].json("status").unwrap();
    assert_eq!(status["health"]["ok"], true, "{status}");
    assert!(status["health"]["checks"].to_string().contains("alone"), "{status}");
}
