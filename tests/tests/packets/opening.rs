//! What happens while a peer is opened: it refuses, keeps silent, or is not waited for.

use dfaas_common::translate::flag::{ACK, PSH, RST};

use crate::bench::{Bench, DROP, FIGLET, REDIRECT};
use crate::segment::Segment;
use crate::story::{Backend, Client, REQUEST};
use crate::world::{World, in_every_world};

in_every_world!(
    a_refusal_goes_to_the_next_target_with_the_same_request,
    a_reset_that_does_not_acknowledge_the_syn_is_not_believed,
    two_refusals_lead_home_and_a_third_to_503,
    a_silent_peer_is_given_up_at_the_clients_third_retransmission,
    an_old_connection_of_the_peer_is_reset_and_the_syn_sent_again,
    a_client_that_gives_up_while_the_peer_is_opened_costs_the_peer_a_reset,
);

fn planned(world: World) -> Bench {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    bench
}

fn a_refusal_goes_to_the_next_target_with_the_same_request(world: World) {
    let mut bench = Bench::new(world);
    // The point of the first draw of the smooth sequence is 0: peer 1 comes first.
    bench.plan(&[(1, 32_768), (2, 32_768)], |plan| plan.mode = dfaas_common::plan::mode::SMOOTH);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let first = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    assert_eq!(first.syn.to.0, world.peers()[0]);
    let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
    assert_eq!(second.syn.to, world.data_of(2));
    assert_eq!(bench.bound(), [((FIGLET, 2), 1)].into());
    assert_eq!(bench.ingress(&second.syn_ack()).segment().payload, REQUEST);
    assert_eq!(bench.invocations(), [((FIGLET, 2, 0), 1)].into());
    assert_eq!(bench.events()["retried"], 1);

    // What the first peer says now is nobody's.
    let late = bench.ingress(&first.syn_ack());
    late.passed_untouched();
}

fn a_reset_that_does_not_acknowledge_the_syn_is_not_believed(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    let mut forged = peer.refusal();
    forged.acknowledgment = forged.acknowledgment.wrapping_add(1);
    assert_eq!(bench.ingress(&forged).verdict, DROP);
    assert_eq!(bench.drops()["stale_backend"], 1);
    assert_eq!(bench.ingress(&peer.syn_ack()).segment().payload, REQUEST);
}

fn two_refusals_lead_home_and_a_third_to_503(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 32_768), (2, 32_768)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let first = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    let second = Backend::accepting(bench.ingress(&first.refusal()).segment());
    let home = Backend::accepting(bench.ingress(&second.refusal()).segment());
    assert_eq!(
        (home.syn.from, home.syn.to),
        (client.end, world.listen()),
        "the gateway sees the client itself"
    );
    let refused = bench.egress(home.refusal()).segment();
    assert!(refused.text().starts_with("HTTP/1.1 503 "), "{refused:?}");
    assert_eq!((refused.from, refused.to), (world.listen(), client.end));
    assert_eq!(bench.invocations(), [((FIGLET, 0xffff, 0), 1)].into());
    assert!(bench.bound().is_empty());
}

fn a_silent_peer_is_given_up_at_the_clients_third_retransmission(world: World) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let first = client.request(&mut bench, REQUEST).segment();
    let again = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    for _ in 0..2 {
        let resent = bench.ingress(&again).segment();
        assert_eq!((resent.from, resent.to, resent.sequence), (first.from, first.to, first.sequence));
    }
    let home = bench.ingress(&again).segment();
    assert_eq!((home.from, home.to), (client.end, world.listen()));
    assert_eq!((bench.events()["syn_resent"], bench.events()["silent"]), (2, 1));
}

fn an_old_connection_of_the_peer_is_reset_and_the_syn_sent_again(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    // TIME_WAIT answers a SYN that it cannot accept with the acknowledgment of its own connection.
    let challenge = Segment::new(peer.syn.to, peer.syn.from, ACK).numbers(99, 4_242);
    let outcome = bench.ingress(&challenge);
    assert_eq!(outcome.verdict, REDIRECT);
    assert_eq!(Backend::accepting(outcome.segment()).syn.to, peer.syn.to);
    assert_eq!(bench.events()["time_wait_reset"], 1);
    assert_eq!(bench.ingress(&peer.syn_ack()).segment().payload, REQUEST);
}

fn a_client_that_gives_up_while_the_peer_is_opened_costs_the_peer_a_reset(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    assert_eq!(bench.ingress(&client.segment(RST, REQUEST.len() as u32, 0)).verdict, DROP);
    let reset = bench.ingress(&peer.syn_ack()).segment();
    assert_eq!((reset.flags, reset.from, reset.sequence), (RST, peer.syn.from, client.isn + 1));
    assert_eq!((bench.live(), bench.bound().len()), (0, 0));
}
