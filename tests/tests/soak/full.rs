//! More connections than the flow table holds.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::call::{Call, connect};
use crate::memory::most;
use crate::site::{Plan, Site};
use crate::users::Users;
use crate::{FAMILIES, LIMIT};

/// Entries of the table.
const ENTRIES: u64 = 256;

/// Connections that are kept at one time.
const CONNECTIONS: usize = 600;

/// Between two that are opened.
const APART: Duration = Duration::from_millis(2);

/// Opens them one after the other and asks once on each; who served.
async fn open(target: SocketAddr, count: usize) -> Vec<(TcpStream, u8)> {
    let (call, mut open) = (Call::new(32, false), Vec::new());
    for n in 0..count {
        let mut stream = connect(target).await.unwrap_or_else(|reason| panic!("{n}: {reason}"));
        let node = call.on(&mut stream).await.unwrap_or_else(|reason| panic!("{n}: {reason}"));
        open.push((stream, node));
        tokio::time::sleep(APART).await;
    }
    open
}

#[test]
fn connections_above_what_the_table_holds_are_served_here_and_the_next_are_steered_again() {
    for family in FAMILIES {
        let overrides = format!("[dataplane]\nmax_flows = {ENTRIES}").parse().unwrap();
        // All that is steered goes to the peers, so that what is served here is not.
        let site = Site::new(&Plan { local: 0.0, overrides, ..Plan::usual(family) });
        let target = site.nodes[0].address();
        let story = || async move {
            let mut kept = open(target, CONNECTIONS).await;
            let call = Call::new(32, false);
            for n in (0..CONNECTIONS).rev().chain(0..CONNECTIONS) {
                let (stream, first) = &mut kept[n];
                let node = call.on(stream).await.unwrap_or_else(|reason| panic!("{n}: {reason}"));
                assert_eq!(node == 1, *first == 1, "{n} stays with the host, or with the plan");
            }
            kept.iter().filter(|(_, node)| *node == 1).count() as u64
        };
        let here = site.lab.users(1).block_on(story).unwrap();
        let (full, steered) = (site.count("syn_table_full"), CONNECTIONS as u64 - here);
        println!(
            "{family:?}: {CONNECTIONS} connections at one time and a table of {ENTRIES}: {steered} steered, {here} served \
             by the host's stack, {full} SYNs counted as above it; no error; {}",
            most(&site.nodes[0]),
        );
        assert!((ENTRIES * 3 / 4..=ENTRIES).contains(&steered), "{steered} were steered");
        assert!(full >= here, "{full} counted, {here} served here");
        let counted = site.counted();
        assert_eq!(
            (counted[0], counted[1] + counted[2]),
            (0, 3 * steered),
            "each request of those that are steered"
        );

        site.wait_until_empty();
        let tally = Users { rate: 30.0, ..Users::default() }.run_for(&site, Duration::from_secs(2));
        tally.check();
        assert_eq!(tally.by_node[0], 0, "all are steered again: {tally}");
        assert_eq!(site.count("syn_table_full"), full);
    }
}

#[test]
fn connections_that_all_come_at_once_to_a_full_table_wait_and_are_served() {
    for family in FAMILIES {
        let overrides = format!("[dataplane]\nmax_flows = {ENTRIES}").parse().unwrap();
        let site = Site::new(&Plan { local: 0.0, overrides, ..Plan::usual(family) });
        let users = Users { passing: CONNECTIONS, pause: Duration::from_millis(300), ..Users::default() };
        let tally = users.run_for(&site, LIMIT / 10);
        let happened = site.happened();
        println!(
            "{family:?}: {CONNECTIONS} users come again and again, table of {ENTRIES}: {tally}; {} SYNs counted as above \
             it, {} first segments that found no room and came again",
            happened.get("syn_table_full").unwrap_or(&0),
            happened.get("flow_table_full").unwrap_or(&0),
        );
        tally.check();
        site.wait_until_empty();
    }
}
