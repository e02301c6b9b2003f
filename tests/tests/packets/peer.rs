//! Connections that are bound to a peer.

use dfaas_common::cookie::NO_SCALE;
use dfaas_common::translate::flag::{ACK, FIN, PSH, RST};

use crate::bench::{Bench, DROP, FIGLET, REDIRECT};
use crate::segment::Segment;
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::world::{World, in_every_world};

in_every_world!(
    the_first_segment_becomes_a_syn_to_the_peer,
    a_whole_connection_is_translated_both_ways_and_leaves_nothing_behind,
    a_request_that_is_lost_behind_the_node_is_sent_again_with_an_echo_that_the_peer_knows,
    a_second_write_is_appended_to_the_saved_segment,
    a_client_that_uses_its_port_again_gets_a_new_choice_and_its_old_flow_ends,
    a_stray_syn_does_not_disturb_a_live_connection,
    a_client_without_timestamps_and_scaling_is_served_as_it_is,
    source_ports_are_used_in_turn_and_a_finished_flow_gives_its_port_up,
);

const PEER: u32 = 1;

fn planned(world: World) -> Bench {
    let mut bench = Bench::new(world);
    bench.plan(&[(PEER, 65_536)], |_| {});
    bench
}

fn the_first_segment_becomes_a_syn_to_the_peer(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let outcome = client.request(&mut bench, REQUEST);
    assert_eq!(outcome.verdict, REDIRECT);
    let syn = outcome.segment();
    assert_eq!(
        (syn.from.0, syn.to),
        (world.data().0, world.data_of(1)),
        "from the node to the peer's data port"
    );
    assert!((20_000..20_100).contains(&syn.from.1), "from a port of our own: {}", syn.from.1);
    assert_eq!(syn.sequence, client.isn, "the client's sequence numbers go on");
    let [high, low] = world.users.segment_size().to_be_bytes();
    assert_eq!(syn.options[..6], [2, 4, high, low, 4, 2], "as the client offered");
    assert_eq!(syn.options[16..], [1, 3, 3, 7], "the client's window scale");
    assert_ne!(syn.read_times().expect("timestamps").0, client.time + 5, "the clock is the node's");
    assert_eq!(bench.bound(), [((FIGLET, 1), 1)].into());
    assert!(bench.invocations().is_empty(), "nothing is counted before the peer accepts");
}

fn a_whole_connection_is_translated_both_ways_and_leaves_nothing_behind(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());

    // The SYN-ACK comes back as acknowledgment and request in one.
    let turned = bench.ingress(&peer.syn_ack());
    assert_eq!(turned.verdict, REDIRECT);
    let request = turned.segment();
    assert_eq!((request.from, request.to), (peer.syn.from, peer.syn.to));
    assert_eq!((request.sequence, request.acknowledgment), (client.isn + 1, peer.isn.wrapping_add(1)));
    assert_eq!(request.payload, REQUEST);
    assert_eq!(request.read_times().expect("timestamps").1, peer.time, "the peer's clock is echoed");
    assert_eq!(bench.invocations(), [((FIGLET, 1, 0), 1)].into());

    // The answer: numbers, clock and window are those that the client knows.
    let (sent, got) = (ANSWER.len() as u32, REQUEST.len() as u32);
    let mut answer = peer.segment(ACK | PSH, 0, got).payload(ANSWER);
    answer.window = 100;
    let outcome = bench.ingress(&answer);
    assert_eq!(outcome.verdict, REDIRECT);
    let seen = outcome.segment();
    assert_eq!((seen.from, seen.to), (world.listen(), client.end));
    assert_eq!((seen.sequence, seen.acknowledgment), (client.cookie + 1, client.isn + 1 + got));
    assert_eq!(seen.window, 400, "100 << 9 bytes, in steps of 128");
    assert_eq!(seen.payload, ANSWER);
    let (value, echo) = seen.read_times().expect("timestamps");
    assert_eq!(echo, client.time + 5, "the client's own clock");
    assert!(value.wrapping_sub(client.seen) < 10_000, "the node's clock goes on");

    // Acknowledgment with SACK, then both FINs.
    let mut options = client.segment(ACK, 0, 0).options;
    options.extend([1, 1, 5, 10]);
    options.extend((client.cookie + 10).to_be_bytes());
    options.extend((client.cookie + 20).to_be_bytes());
    let ack = bench.ingress(&client.segment(ACK, got, sent).options(&options)).segment();
    assert_eq!((ack.from, ack.to), (peer.syn.from, peer.syn.to));
    assert_eq!(ack.acknowledgment, peer.isn.wrapping_add(1 + sent));
    assert_eq!(ack.options[16..20], peer.isn.wrapping_add(10).to_be_bytes());
    assert_eq!(ack.options[20..24], peer.isn.wrapping_add(20).to_be_bytes());
    assert_eq!(bench.ingress(&peer.fin(sent, got)).segment().flags, FIN | ACK);
    assert!(bench.bound().is_empty(), "the first FIN ends the invocation");
    assert_eq!(bench.ingress(&client.segment(FIN | ACK, got, sent + 1)).segment().flags, FIN | ACK);

    bench.sweep();
    assert_eq!(bench.live(), 1, "a lost last acknowledgment can still be repaired");
    bench.age(std::time::Duration::from_secs(6));
    bench.sweep();
    assert_eq!((bench.live(), bench.flows().len()), (0, 0));
    assert_eq!(bench.invocations(), [((FIGLET, 1, 0), 1)].into());
    assert_eq!(bench.drops(), [("handshake_ack", 1)].into());
}

fn a_request_that_is_lost_behind_the_node_is_sent_again_with_an_echo_that_the_peer_knows(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    // The client has seen nothing but our SYN-ACK, which is older than the peer's.
    let again = bench.ingress(&client.segment(ACK | PSH, 0, 0).payload(REQUEST)).segment();
    assert_eq!((again.to, again.payload.as_slice()), (peer.syn.to, REQUEST));
    assert_eq!(again.read_times().expect("timestamps").1, peer.time);
}

fn a_second_write_is_appended_to_the_saved_segment(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    let rest = client.segment(ACK | PSH, REQUEST.len() as u32, 0).payload(b" and more, an odd number");
    assert_eq!(bench.ingress(&rest).verdict, DROP);
    let sent = bench.ingress(&peer.syn_ack()).segment();
    assert_eq!(sent.payload, [REQUEST, b" and more, an odd number"].concat());
}

fn a_client_that_uses_its_port_again_gets_a_new_choice_and_its_old_flow_ends(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    bench.ingress(&peer.fin(0, REQUEST.len() as u32));
    bench.ingress(&client.segment(FIN | ACK, REQUEST.len() as u32, 1));

    let again = Client { isn: client.isn + 5_000_000, ..client.clone() }.connect(&mut bench);
    assert_eq!(
        bench.ingress(&again.segment(ACK, 0, 0)).verdict,
        DROP,
        "it must not reach the old peer connection"
    );
    let second = Backend::accepting(bench.ingress(&again.segment(ACK, 0, 0).payload(REQUEST)).segment());
    assert_ne!(second.syn.from.1, peer.syn.from.1, "another source port");
    assert_eq!((bench.live(), bench.events()["flow_replaced"]), (1, 1));
    assert_eq!(bench.ingress(&second.syn_ack()).segment().payload, REQUEST);
}

fn a_stray_syn_does_not_disturb_a_live_connection(world: World) {
    let mut bench = planned(world);
    let client = Client::new(world, 40_000).connect(&mut bench);
    let peer = Backend::accepting(client.request(&mut bench, REQUEST).segment());
    bench.ingress(&peer.syn_ack());
    Client { isn: 42, ..client.clone() }.connect(&mut bench);
    let answer = bench.ingress(&peer.segment(ACK, 0, 0).payload(ANSWER)).segment();
    assert_eq!((answer.to, answer.sequence), (client.end, client.cookie + 1));
}

fn a_client_without_timestamps_and_scaling_is_served_as_it_is(world: World) {
    let mut bench = planned(world);
    let mut client = Client::new(world, 40_000);
    let syn = Segment::new(client.end, world.listen(), dfaas_common::translate::flag::SYN)
        .numbers(client.isn, 0)
        .options(&[2, 4, 5, 0xb4]);
    client.cookie = bench.ingress(&syn).segment().sequence;
    let first = client.segment(ACK | PSH, 0, 0).options(&[]).payload(REQUEST);
    let peer_syn = bench.ingress(&first).segment();
    assert_eq!(peer_syn.options[4..], [1; 16], "nothing but the segment size is offered");
    assert_eq!(bench.flows()[0].client_scale, NO_SCALE);
    let syn_ack = Segment::new(peer_syn.to, peer_syn.from, 0x12)
        .numbers(500, peer_syn.sequence + 1)
        .options(&[2, 4, 5, 0xb4]);
    let request = bench.ingress(&syn_ack).segment();
    assert_eq!((request.payload.as_slice(), request.options.len()), (REQUEST, 0));
    let mut answer = Segment::new(peer_syn.to, peer_syn.from, ACK)
        .numbers(501, peer_syn.sequence + 1 + REQUEST.len() as u32)
        .payload(ANSWER);
    answer.window = 29_200;
    let seen = bench.ingress(&answer).segment();
    assert_eq!((seen.sequence, seen.window), (client.cookie.wrapping_add(1), 29_200));
}

fn source_ports_are_used_in_turn_and_a_finished_flow_gives_its_port_up(world: World) {
    let mut bench = planned(world);
    bench.configure(|config| config.snat_count = 2);
    let open = |bench: &mut Bench, port| {
        let client = Client::new(world, port).connect(bench);
        Backend::accepting(client.request(bench, REQUEST).segment())
    };
    let first = open(&mut bench, 40_000);
    let second = open(&mut bench, 40_001);
    assert_ne!(first.syn.from.1, second.syn.from.1);
    bench.ingress(&first.syn_ack());
    bench.ingress(&first.segment(RST | ACK, 0, 0));
    let third = open(&mut bench, 40_002);
    assert_eq!(third.syn.from.1, first.syn.from.1);
    assert_eq!(bench.events()["port_taken_over"], 1);

    // Now both ports carry live connections: the fourth invocation goes home.
    let fourth = open(&mut bench, 40_003);
    assert_eq!(fourth.syn.to, world.listen());
    assert_eq!(bench.events()["no_source_port"], 1);
}
