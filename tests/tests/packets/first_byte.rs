//! Times to the first byte of an answer.

use std::time::Duration;

use dfaas_common::translate::flag::{ACK, FIN, PSH, RST, SYN};

use crate::bench::{Bench, FIGLET};
use crate::segment::{End, Segment};
use crate::story::{ANSWER, Backend, Client, REQUEST, send, syn_options};
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_peers_answer_counts_for_the_peer_from_the_first_syn_to_it,
    after_a_refusal_the_time_counts_from_the_syn_to_the_next,
);

in_both_families!(
    the_gateways_first_data_ends_the_wait_and_the_next_adds_nothing,
    what_a_peer_sent_is_measured_from_its_request,
    what_has_no_answer_has_no_time,
    what_is_not_understood_is_measured_too_without_a_function,
);

const fn peer(world: World) -> End {
    (world.peers()[0], 20_007)
}

/// In the middle of the bucket of 2.5 to 5 seconds.
const WAIT: Duration = Duration::from_secs(3);
const BUCKET: usize = 9;

/// One answer of the backend, after [`WAIT`].
fn answered_once(bench: &Bench, backend: u16) {
    let all = bench.first_bytes();
    assert_eq!(all.keys().collect::<Vec<_>>(), [&(FIGLET, backend)], "{all:?}");
    let (buckets, sum) = &all[&(FIGLET, backend)];
    assert_eq!(*buckets, [(BUCKET, 1)].into());
    assert!((WAIT..WAIT + Duration::from_secs(2)).contains(sum), "{sum:?}");
}

fn the_gateways_first_data_ends_the_wait_and_the_next_adds_nothing(world: World) {
    let mut bench = Bench::new(world);
    let gateway = Backend::accepting(send(&mut bench, 40_000));
    bench.wait_for_answers(WAIT);
    bench.egress(gateway.syn_ack());
    let got = REQUEST.len() as u32;
    bench.egress(gateway.segment(ACK, 0, got));
    assert!(bench.first_bytes().is_empty(), "an acknowledgment is no answer");
    bench.egress(gateway.segment(ACK | PSH, 0, got).payload(ANSWER));
    answered_once(&bench, 0);
    bench.egress(gateway.segment(ACK | PSH, 0, got).payload(ANSWER));
    bench.egress(gateway.segment(ACK | PSH | FIN, ANSWER.len() as u32, got).payload(ANSWER));
    answered_once(&bench, 0);
}

fn a_peers_answer_counts_for_the_peer_from_the_first_syn_to_it(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.wait_for_answers(WAIT);
    // The SYN was lost and is sent again.
    bench.ingress(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
    bench.ingress(&peer.syn_ack());
    bench.ingress(&peer.segment(ACK | PSH, 0, REQUEST.len() as u32).payload(ANSWER));
    answered_once(&bench, 1);
}

fn after_a_refusal_the_time_counts_from_the_syn_to_the_next(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_535), (2, 1)], |plan| plan.mode = dfaas_common::plan::mode::SMOOTH);
    let first = Backend::accepting(send(&mut bench, 40_000));
    assert_eq!(first.syn.to.0, world.peers()[0]);
    bench.wait_for_answers(Duration::from_secs(100));
    let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
    bench.wait_for_answers(WAIT);
    bench.ingress(&second.syn_ack());
    bench.ingress(&second.segment(ACK | PSH, 0, REQUEST.len() as u32).payload(ANSWER));
    answered_once(&bench, 2);
}

fn what_a_peer_sent_is_measured_from_its_request(world: World) {
    let mut bench = Bench::new(world);
    let syn = |bench: &mut Bench, sequence| {
        bench.ingress(
            &Segment::new(peer(world), world.data(), SYN).numbers(sequence, 0).options(&syn_options(1)),
        );
    };
    let answer = |bench: &mut Bench| {
        bench.egress(Segment::new(world.gateway(), peer(world), ACK).numbers(501, 101).payload(ANSWER));
    };
    let request = |bench: &mut Bench, sequence| {
        bench.ingress(
            &Segment::new(peer(world), world.data(), ACK | PSH).numbers(sequence, 501).payload(REQUEST),
        );
    };
    syn(&mut bench, 100);
    answer(&mut bench);
    assert!(bench.first_bytes().is_empty(), "nothing was asked yet");
    request(&mut bench, 101);
    bench.wait_for_answers(WAIT);
    request(&mut bench, 101);
    answer(&mut bench);
    answer(&mut bench);
    answered_once(&bench, 0);

    // A request that was never answered leaves nothing to the next connection on its port.
    syn(&mut bench, 7_000);
    request(&mut bench, 7_001);
    bench.wait_for_answers(Duration::from_secs(100));
    syn(&mut bench, 9_000);
    answer(&mut bench);
    answered_once(&bench, 0);
}

fn what_has_no_answer_has_no_time(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let reset = Backend::accepting(send(&mut bench, 40_000));
    bench.ingress(&reset.syn_ack());
    bench.ingress(&reset.segment(RST | ACK, 0, 0));
    bench.plan(&[(0xffff, 65_536)], |_| {});
    assert!(send(&mut bench, 40_001).text().starts_with("HTTP/1.1 503 "));
    assert!(bench.first_bytes().is_empty());
}

fn what_is_not_understood_is_measured_too_without_a_function(world: World) {
    let mut bench = Bench::new(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let gateway = Backend::accepting(client.request(&mut bench, b"GET /healthz HTTP/1.1\r\n\r\n").segment());
    bench.egress(gateway.syn_ack());
    bench.egress(gateway.segment(ACK | PSH, 0, 25).payload(ANSWER));
    assert_eq!(bench.first_bytes().keys().collect::<Vec<_>>(), [&(0, 0)]);
}
