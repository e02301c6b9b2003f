//! An agent that is killed as soon as it lives.

use std::time::{Duration, Instant};

use dfaas_tests::eventually;
use rand::Rng as _;

use crate::memory::most;
use crate::site::{Plan, Site};
use crate::users::Users;
use crate::{FAMILIES, LIMIT, reached, seconds};

/// New connections a second; the gateway of the node can serve them all.
const RATE: f64 = 200.0;

/// A little more than plans last with the period below.
const EXPIRED: Duration = Duration::from_millis(800);

#[test]
fn no_request_fails_while_the_agent_is_killed_again_and_again_and_sharing_comes_back() {
    for family in FAMILIES {
        let mut site = Site::new(&Plan { period: "200ms", ..Plan::usual(family) });
        let pause = Duration::from_millis(100);
        let running = Users { rate: RATE, kept: 20, pause, ..Users::default() }.start(&site);
        let begun = Instant::now();
        let (mut kills, mut young, mut returns) = (0, 0, 0);
        while begun.elapsed() < seconds() || returns < 2 {
            site.nodes[0].kill_agent().unwrap();
            kills += 1;
            let expired = site.count("plan_expired");
            std::thread::sleep(EXPIRED);
            eventually("plans expire and users are served here", LIMIT, || {
                (site.count("plan_expired") > expired).then_some(())
            });
            site.nodes[0].launch_agent().unwrap();
            if kills % 2 == 0 {
                // Killed while it takes over.
                std::thread::sleep(Duration::from_millis(rand::rng().random_range(0..800)));
                young += 1;
                continue;
            }
            let to_peers = site.count("bound_peer");
            eventually("peers get their share again", LIMIT, || {
                (site.count("bound_peer") > to_peers).then_some(())
            });
            returns += 1;
        }
        site.nodes[0].kill_agent().unwrap();
        site.nodes[0].start_agent().unwrap();
        let tally = running.finish();
        println!(
            "{family:?}: {tally} at {}; {} kills in {:.0?}, {young} of them within 0.8 s of a start; {} requests served \
             here as plans had expired; sharing came back {returns} times; last {}",
            reached(tally.rate(), RATE),
            kills + 1,
            begun.elapsed(),
            site.count("plan_expired"),
            most(&site.nodes[0]),
        );
        tally.check();
        site.agrees_with(&tally);
        eventually("the plan is carried out at the end", LIMIT, || {
            let tally = Users { rate: 50.0, ..Users::default() }.run_for(&site, Duration::from_secs(1));
            tally.check();
            tally
                .shares()
                .iter()
                .zip([40.0, 20.0, 40.0])
                .all(|(is, plan)| (is - plan).abs() < 5.0)
                .then_some(())
        });
    }
}
