//! Very many short connections of one user, which the server closes.

use crate::memory::most;
use crate::site::{Plan, Site};
use crate::users::Users;
use crate::{FAMILIES, reached, seconds};

/// Connections a second.
const RATE: f64 = 5000.0;

/// What the plan says, in percent.
const PLAN: [f64; 3] = [40.0, 20.0, 40.0];

#[test]
fn five_thousand_connections_a_second_from_one_address_are_divided_as_planned_without_an_error() {
    for family in FAMILIES {
        let site = Site::new(&Plan::usual(family));
        let [users, nodes] = site.tcp();
        let tally = Users { rate: RATE, ..Users::default() }.run_for(&site, seconds());
        let now = site.tcp();
        let of_users = |name: &str| now[0][name] - users[name];
        let again = now[1]["RetransSegs"] - nodes["RetransSegs"];
        let happened = site.happened();
        let times = |event: &str| happened.get(event).copied().unwrap_or(0);
        println!(
            "{family:?}: {tally} at {}; tuples used again {}, source ports taken over {}, old connections at backends \
             reset {}; segments sent again by users {} and nodes {again}, resets sent by users {}; {}",
            reached(tally.rate(), RATE),
            times("flow_replaced"),
            times("port_taken_over"),
            times("time_wait_reset"),
            of_users("RetransSegs"),
            of_users("OutRsts"),
            most(&site.nodes[0]),
        );
        tally.check();
        assert_eq!(tally.answered(), tally.paced);
        for (share, planned) in tally.shares().iter().zip(PLAN) {
            assert!((share - planned).abs() <= 2.0, "{share} % instead of {planned} %: {tally}");
        }
        // None meets a connection. What users send is only printed: on a busy machine, without any data plane too, a last
        // acknowledgment may overtake another, and the answer to that finds nobody.
        for reset in ["EstabResets", "AttemptFails"] {
            assert_eq!(of_users(reset), 0, "{reset} of users");
        }
        site.agrees_with(&tally);
        assert_eq!(times("no_source_port") + times("silent") + times("retried"), 0, "{happened:?}");
        site.wait_until_empty();
        assert_eq!(site.count("flow_freed"), tally.paced, "each had an entry, and gave it back");
    }
}
