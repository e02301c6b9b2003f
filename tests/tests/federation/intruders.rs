//! Those who are not let in, and what they send.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use dfaas_tests::peer_address;
use dfaas_tests::settings::{DATA_PORT, OVERLAY_PORT, Overlay};

use crate::site::{Site, eventually, failures};

#[test]
fn a_node_that_is_not_on_the_list_gets_nowhere_and_the_metrics_show_it() {
    let mut site = Site::prepare(&[100, 100, 100], |index, identities, agent, _| {
        let overlay = identities.overlay(&[1]);
        // Nodes 1 and 2 know each other; node 3 would let everybody in.
        let known = vec![identities.id(1).to_owned(), identities.id(2).to_owned()];
        let allow = if index == 3 { Vec::new() } else { known };
        agent.overlay = Some(Overlay { allow, ..overlay });
    });
    for index in [1, 2, 3] {
        site.start_node(index);
    }
    site.formed(&[1, 2]);
    eventually("the intruder is counted", || {
        let refused =
            site.nodes[0].metric("dfaas_overlay_refused_total", &["reason=\"not_allowed\""]).unwrap();
        (refused >= 1.0).then_some(())
    });
    assert_eq!(site.nodes[0].usable_peers().unwrap(), ["node-2"]);
    assert!(site.nodes[2].usable_peers().unwrap().is_empty());
    site.check();
}

#[test]
fn noise_at_every_port_of_a_node_changes_nothing_for_its_users() {
    let mut site = Site::start(&[10, 100], |_, _, _, _| {});
    let running = site.load(60.0, 10);
    let target = peer_address(1);
    let noise = move || {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut bytes = move |length: usize| -> Vec<u8> {
            let mut byte = || {
                // xorshift: the same bytes in every run.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            };
            (0..length).map(|_| byte()).collect()
        };
        let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
        for round in 0..200 {
            for port in [OVERLAY_PORT, DATA_PORT] {
                // Lost or not, it is noise.
                let _ = udp.send_to(&bytes(1 + round * 7 % 1400), (target, port));
            }
            let tcp = TcpStream::connect_timeout(&(target, OVERLAY_PORT).into(), Duration::from_secs(2));
            // It may be refused at any moment.
            let _ = tcp.and_then(|mut tcp| tcp.write_all(&bytes(4000)));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    site.lab.node(2).run(noise).unwrap();
    let report = running.finish().unwrap();
    assert_eq!(report.total().failed, 0, "{}", failures(&report));
    let served = report.seconds()[5..].iter().map(|second| second.ok).sum::<u64>();
    assert!(served >= 295, "{:?}", report.seconds());
    site.formed(&[1, 2]);
    let refused = site.nodes[0].metric("dfaas_overlay_refused_total", &[]).unwrap();
    assert!(refused >= 100.0, "{refused}");
    site.check();
}

#[test]
fn no_key_is_in_any_log_even_at_the_highest_level() {
    let site = Site::start(&[100, 100], |_, _, agent, _| agent.log = Some("trace".to_owned()));
    for node in &site.nodes {
        let pem = std::fs::read_to_string(node.identity_file()).unwrap();
        let secret: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let log = node.agent_log();
        assert!(log.contains("TRACE"), "the log is at its highest level");
        // The end of the encoding is the key itself.
        let tail = &secret[secret.len() - 24..];
        assert!(!log.contains(tail), "{} logs its key", node.name());
    }
}
