//! What becomes of connections to peers, counted for each.

use dfaas_common::translate::flag::{ACK, PSH, RST};

use crate::bench::Bench;
use crate::story::{ANSWER, Backend, Client, REQUEST, send};
use crate::world::{World, in_both_families};

in_both_families!(
    a_refusal_counts_for_who_refused_and_a_forged_one_for_nobody,
    silence_counts_once_the_peer_is_left_for_another,
    a_reset_after_the_peer_has_accepted_counts_once,
    a_reset_behind_the_peers_fin_or_the_clients_own_reset_is_no_fault_of_the_peer,
    resets_of_the_gateway_are_nobodys,
);

fn planned(world: World) -> (Bench, Client, Backend) {
    let mut bench = Bench::new(world);
    bench.plan(&[(1, 65_536)], |_| {});
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    (bench, client, peer)
}

fn a_refusal_counts_for_who_refused_and_a_forged_one_for_nobody(world: World) {
    let (mut bench, _, peer) = planned(world);
    let mut forged = peer.refusal();
    forged.acknowledgment = forged.acknowledgment.wrapping_add(1);
    bench.ingress(&forged);
    assert!(bench.outcomes(1).is_empty());
    let gateway = Backend::accepting(bench.ingress(&peer.refusal()).segment());
    assert_eq!(gateway.syn.to, world.listen());
    bench.ingress(&peer.refusal());
    bench.egress(gateway.refusal());
    assert_eq!((bench.outcomes(1), bench.outcomes(2)), ([("refused", 1)].into(), [].into()));
}

fn silence_counts_once_the_peer_is_left_for_another(world: World) {
    let (mut bench, client, _) = planned(world);
    let again = client.segment(ACK | PSH, 0, 0).payload(REQUEST);
    bench.ingress(&again);
    bench.ingress(&again);
    assert!(bench.outcomes(1).is_empty());
    assert_eq!(bench.ingress(&again).segment().to, world.listen());
    bench.ingress(&again);
    assert_eq!(bench.outcomes(1), [("silent", 1)].into());
}

fn a_reset_after_the_peer_has_accepted_counts_once(world: World) {
    let (mut bench, _, peer) = planned(world);
    bench.ingress(&peer.syn_ack());
    for _ in 0..2 {
        bench.ingress(&peer.segment(RST | ACK, 0, REQUEST.len() as u32));
    }
    assert_eq!(bench.outcomes(1), [("reset", 1)].into());
}

fn a_reset_behind_the_peers_fin_or_the_clients_own_reset_is_no_fault_of_the_peer(world: World) {
    let (mut bench, _, peer) = planned(world);
    let (sent, got) = (ANSWER.len() as u32, REQUEST.len() as u32);
    bench.ingress(&peer.syn_ack());
    bench.ingress(&peer.segment(ACK | PSH, 0, got).payload(ANSWER));
    bench.ingress(&peer.fin(sent, got));
    bench.ingress(&peer.segment(RST, sent + 1, got));
    assert!(bench.outcomes(1).is_empty());

    let (mut bench, client, peer) = planned(world);
    bench.ingress(&peer.syn_ack());
    bench.ingress(&client.segment(RST | ACK, got, 0));
    bench.ingress(&peer.segment(RST, 0, got));
    assert!(bench.outcomes(1).is_empty());
}

fn resets_of_the_gateway_are_nobodys(world: World) {
    let mut bench = Bench::new(world);
    let gateway = Backend::accepting(send(&mut bench, 40_000));
    bench.egress(gateway.syn_ack());
    bench.egress(gateway.segment(RST | ACK, 0, REQUEST.len() as u32));
    assert!((1..=2).all(|peer| bench.outcomes(peer).is_empty()));
}
