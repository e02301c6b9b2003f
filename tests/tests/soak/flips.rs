//! Plans that change all the time under a mixed load.

use std::time::{Duration, Instant};

use dfaas_common::plan::mode;
use dfaas_tests::bench::FUNCTION;
use nix::sys::signal::Signal;

use crate::memory::most;
use crate::site::{Plan, Site};
use crate::steering::{Shares, Steering, WHOLE};
use crate::users::Users;
use crate::{FAMILIES, reached, seconds};

/// Between two plans.
const CHANGE: Duration = Duration::from_millis(100);

/// New connections a second.
const RATE: f64 = 200.0;

/// All here; all to a peer; half and half; nothing here; and what is rejected, if anything is: a share of nothing.
const PLANS: [(Shares, Option<u32>); 6] = [
    ([WHOLE, 0, 0], None),
    ([0, WHOLE, 0], None),
    ([WHOLE / 2, WHOLE / 2, 0], None),
    ([0, WHOLE / 2, WHOLE / 2], Some(0)),
    ([0, 0, WHOLE], None),
    ([WHOLE / 2, 0, WHOLE / 2], Some(0)),
];

#[test]
fn no_request_fails_while_the_plan_flips_ten_times_a_second() {
    for family in FAMILIES {
        let site = Site::new(&Plan::usual(family));
        let mut steering = Steering::new(&site, &[FUNCTION]);
        // Its agent would write plans of its own.
        site.nodes[0].agent().unwrap().signal(Signal::SIGSTOP).unwrap();
        let users = Users {
            rate: RATE,
            kept: 50,
            passing: 20,
            pause: Duration::from_millis(50),
            bodies: vec![0, 100, 1_400, 20_000, 200_000],
        };
        let running = users.start(&site);
        let (begun, mut flips) = (Instant::now(), 0);
        while begun.elapsed() < seconds() {
            let (shares, rejected) = PLANS[flips % PLANS.len()];
            match rejected {
                None => steering.write(FUNCTION, shares),
                Some(_) => steering.write_rejecting(mode::SMOOTH, FUNCTION, shares, rejected),
            }
            flips += 1;
            std::thread::sleep(CHANGE);
        }
        let tally = running.finish();
        site.nodes[0].agent().unwrap().signal(Signal::SIGCONT).unwrap();
        let happened = site.happened();
        let times = |event: &str| happened.get(event).copied().unwrap_or(0);
        let moved = times("moved_local") + times("moved_peer");
        println!(
            "{family:?}: {tally} at {} and on 70 other connections; {flips} plans in {:.0?}; {moved} moves, {} requests \
             stayed, {} connections pinned; {}",
            reached(tally.rate(), RATE),
            begun.elapsed(),
            times("stayed"),
            times("pinned"),
            most(&site.nodes[0]),
        );
        tally.check();
        assert!(moved > 100 && tally.by_node.iter().all(|served| *served > 0), "{moved} moves; {tally}");
        site.agrees_with(&tally);
    }
}
