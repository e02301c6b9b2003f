//! What exceeds the local limits goes to the better of two candidates.

use dfaas_common::bucket::NEVER;
use dfaas_common::config::{Load, Report};
use dfaas_common::count::LOCAL;
use dfaas_common::plan::Plan;
use dfaas_common::translate::flag::{ACK, RST};

use crate::bench::{Bench, FIGLET};
use crate::kept::{Kept, OfPeer, all_to};
use crate::story::{ANSWER, Backend, REQUEST, send, whom};
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_busy_gateway_gives_to_the_idler_of_two_candidates_and_remembers_what_it_sent,
    a_candidate_that_refuses_leads_to_the_other_and_then_home,
    a_kept_connection_overflows_and_comes_back,
    a_gateway_at_which_users_would_wait_too_long_is_at_its_limit,
);
in_both_families!(a_request_of_a_peer_above_what_peers_may_have_is_answered_429_at_its_head,);

/// One processor.
const PACE: u32 = 65_536;
pub const MILLI: u32 = 1_000;

impl Bench {
    /// A backend says how long one waits there.
    pub fn says(&mut self, backend: u32, wait: u32) {
        let sent = self.load(backend).sent as u32;
        self.reports.set(backend, Report { wait, sent, pace: PACE, known: 1 }, 0).expect("a report");
    }

    fn load(&self, backend: u32) -> Load {
        self.loads.get(&backend, 0).expect("a load")
    }

    fn under_way(&self) -> [u64; 3] {
        [0, 1, 2].map(|backend| self.load(backend).under_way)
    }

    /// All is to be served here unless one waits longer than 15 ms; each invocation is 10 ms of work.
    fn overflowing(world: World) -> Self {
        let mut bench = Self::new(world);
        bench.plan_to_overflow();
        bench.says(LOCAL, 0);
        bench
    }

    fn plan_to_overflow(&mut self) {
        self.plan(&[(LOCAL, 65_536)], |plan| {
            plan.work = 10 * MILLI;
            plan.overflow_above = 15 * MILLI;
            plan.set_candidates([1, 2].into_iter());
        });
    }
}

fn a_busy_gateway_gives_to_the_idler_of_two_candidates_and_remembers_what_it_sent(world: World) {
    let mut bench = Bench::overflowing(world);
    bench.says(1, 4 * MILLI);
    bench.says(2, 8 * MILLI);
    // Here one waits 0, 10, 20 ms; at peer 1 then 4 and 14, at peer 2 8 and 18 ms; and here 20 ms again.
    let went: Vec<&str> = (0..6).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(went, ["local", "local", "peer 1", "peer 2", "peer 1", "peer 2"]);
    assert_eq!(bench.under_way(), [20, 20, 20].map(|ms| ms * u64::from(MILLI)));
    assert_eq!(whom(&send(&mut bench, 41_006)), "local", "nobody beats 20 ms any more");
    assert_eq!(bench.events()["overflowed"], 4);
    // A new report counts from where it was made.
    bench.says(2, 8 * MILLI);
    assert_eq!(whom(&send(&mut bench, 41_007)), "peer 2");
}

#[test]
fn without_a_report_or_a_route_a_candidate_gets_nothing() {
    let mut bench = Bench::overflowing(World::V4);
    bench.says(2, 0);
    bench.unroute(2);
    let went: Vec<&str> = (0..4).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(went, ["local"; 4], "nothing is known of peer 1, and there is no way to peer 2");
}

#[test]
fn at_a_limit_a_candidate_need_not_beat_the_wait_here() {
    let mut bench = Bench::new(World::V4);
    bench.says(1, 900 * MILLI);
    bench.plan(&[(LOCAL, 65_536)], |plan| {
        plan.local_inflight = 1;
        plan.set_candidates([1].into_iter());
    });
    let went: Vec<&str> = (0..3).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(went, ["local", "peer 1", "peer 1"]);
    bench.plan(&[(LOCAL, 65_536)], |plan| plan.local_inflight = 1);
    assert_eq!(whom(&send(&mut bench, 41_003)), "429");
    bench.plan(&[(LOCAL, 65_536)], |plan| {
        plan.local_interval = NEVER;
        plan.set_candidates([1].into_iter());
    });
    assert_eq!(whom(&send(&mut bench, 41_004)), "peer 1", "a spent rate is a limit as well");
}

fn a_candidate_that_refuses_leads_to_the_other_and_then_home(world: World) {
    let mut bench = Bench::overflowing(world);
    bench.says(LOCAL, 50 * MILLI);
    bench.says(1, 4 * MILLI);
    bench.says(2, 8 * MILLI);
    let first = Backend::accepting(send(&mut bench, 41_000));
    assert_eq!(whom(&first.syn), "peer 1");
    let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
    assert_eq!(whom(&second.syn), "peer 2");
    assert_eq!(whom(&bench.ingress(&second.refusal()).segment()), "local");
    assert_eq!(bench.bound(), [((FIGLET, 0), 1)].into());
    assert_eq!(bench.under_way(), [10 * u64::from(MILLI), 0, 0]);
    assert_eq!((bench.events()["overflowed"], bench.events()["retried"]), (2, 2));
}

fn a_kept_connection_overflows_and_comes_back(world: World) {
    let mut kept = Kept::open(world, LOCAL);
    kept.answered();
    kept.bench.plan_to_overflow();
    kept.bench.says(LOCAL, 16 * MILLI);
    kept.bench.says(1, 4 * MILLI);
    assert_eq!(kept.move_to(REQUEST), "peer 1");
    kept.accept_carrying(REQUEST);
    assert_eq!(kept.bench.under_way(), [0, 10 * u64::from(MILLI), 0]);
    kept.answered();
    assert_eq!(kept.bench.under_way(), [0; 3]);
    // The plan has no share for the peer: with the burst over, the next request is served here.
    kept.bench.says(LOCAL, 0);
    assert_eq!(kept.move_to(REQUEST), "local");
    kept.accept_carrying(REQUEST);
    kept.answer(ANSWER);
    kept.bench.ingress(&kept.of_client(RST | ACK));
    assert_eq!((kept.bench.under_way(), kept.bench.bound()), ([0; 3], [].into()));
}

fn a_gateway_at_which_users_would_wait_too_long_is_at_its_limit(world: World) {
    let mut bench = Bench::new(world);
    let limited = |plan: &mut Plan| (plan.work, plan.local_wait) = (10 * MILLI, 15 * MILLI);
    bench.plan(&[(LOCAL, 65_536)], limited);
    let went: Vec<&str> = (0..3).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(went, ["local"; 3], "nothing is known of its processors");
    bench.says(LOCAL, 0);
    assert_eq!(whom(&send(&mut bench, 41_003)), "429");
    // A candidate need not beat the wait here.
    bench.says(1, 900 * MILLI);
    bench.plan(&[(LOCAL, 65_536)], |plan| {
        limited(plan);
        plan.set_candidates([1].into_iter());
    });
    assert_eq!(whom(&send(&mut bench, 41_004)), "peer 1");
    // Twice as fast it takes as much again before that.
    bench.reports.set(LOCAL, Report { wait: 0, sent: 0, pace: PACE / 2, known: 1 }, 0).expect("a report");
    let went: Vec<&str> = (5..7).map(|i| whom(&send(&mut bench, 41_000 + i))).collect();
    assert_eq!(went, ["local", "peer 1"]);
    assert_eq!(bench.bound()[&(FIGLET, 0)], 4, "a refusal leaves nothing in the gauge");
}

#[test]
fn users_alone_are_refused_for_the_wait_at_the_gateway_and_a_peers_request_on_a_connection_that_was_taken_is_served()
 {
    let mut kept = OfPeer::open(World::V4);
    kept.bench.plan(&[(LOCAL, 65_536)], |plan| (plan.work, plan.local_wait) = (10 * MILLI, 15 * MILLI));
    kept.bench.says(LOCAL, 20 * MILLI);
    assert_eq!(whom(&send(&mut kept.bench, 41_000)), "429");
    assert_eq!(kept.ask(REQUEST).segment().to, World::V4.gateway());
}

fn a_request_of_a_peer_above_what_peers_may_have_is_answered_429_at_its_head(world: World) {
    let mut kept = OfPeer::open(world);
    all_to(&mut kept.bench, LOCAL);
    assert_eq!(kept.ask(REQUEST).segment().to, world.gateway());
    kept.answered();
    kept.bench.plan(&[(LOCAL, 65_536)], |plan| plan.peers_interval = NEVER);
    let answer = kept.ask(REQUEST).segment();
    assert_eq!((answer.to, &answer.text()[..13]), (kept.end, "HTTP/1.1 429 "));
    assert!(kept.bench.bound().is_empty());
    assert_eq!(kept.bench.events()["rejected_429"], 1);
}
