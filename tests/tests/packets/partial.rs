//! Checksums that are left to the device, wherever a packet becomes another: what a wire carries must be right. Segments
//! come so from programs of this machine, and from NICs that merge what they receive.

use dfaas_common::config::setting;
use dfaas_common::translate::flag::{ACK, PSH, RST, SYN};

use crate::error::{Error, error, no_host, too_big};
use crate::segment::Segment;
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::wire::Wire;
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    an_inserted_line_is_right_the_first_time_and_when_the_request_comes_again,
    a_kept_connection_moves_to_another_peer,
    a_refusal_becomes_a_syn_to_the_next_peer,
    an_old_connection_at_a_peer_is_reset_and_the_syn_follows,
    an_icmp_error_is_told_to_the_client,
    an_icmp_error_is_told_to_the_peer,
);
in_both_families!(probes_and_strangers_are_answered);

/// Segments up to this size are not divided.
const SIZE: u16 = 1_460;

/// A client that has sent its request, and the SYN that a peer has got of it; nothing has a checksum.
fn asking(wire: &mut Wire, port: u16) -> (Client, Backend) {
    let client = Client::new(wire.bench.world, port);
    wire.users.send_offloaded(&client.syn(), SIZE);
    let client = client.connected(&wire.users.receive());
    wire.users.send_offloaded(&client.segment(ACK | PSH, 0, 0).payload(REQUEST), SIZE);
    (client, Backend::accepting(wire.peers.receive()))
}

/// The peer accepts; what it gets.
fn accepted(wire: &mut Wire, peer: &Backend) -> Segment {
    wire.peers.send_offloaded(&peer.syn_ack(), SIZE);
    let first = wire.peers.receive();
    assert_eq!((first.to, first.acknowledgment), (peer.syn.to, peer.isn.wrapping_add(1)));
    first
}

fn an_inserted_line_is_right_the_first_time_and_when_the_request_comes_again(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.configure(|config| config.settings = setting::FORWARDED_FOR);
        wire.bench.plan(&[(1, 65_536)], |_| {});
        let (client, peer) = asking(&mut wire, 40_000);
        let first = accepted(&mut wire, &peer);
        assert!(first.text().contains("\r\nX-Forwarded-For: "), "{first:?}");
        wire.users.send_offloaded(&client.segment(ACK | PSH, 0, 0).payload(REQUEST), SIZE);
        let again = wire.peers.receive();
        assert_eq!((again.sequence, again.text()), (first.sequence, first.text()));
        let line = (first.payload.len() - REQUEST.len()) as u32;
        wire.users.send_offloaded(&client.segment(ACK, REQUEST.len() as u32, 0).payload(b"odd"), SIZE);
        let behind = wire.peers.receive();
        assert_eq!(behind.sequence, client.isn + 1 + REQUEST.len() as u32 + line);
        assert_eq!(behind.payload, b"odd");
    });
}

fn a_kept_connection_moves_to_another_peer(world: World) {
    Wire::run(world, |mut wire| {
        let interface = wire.peers.index();
        wire.bench.peer(2, |peer| peer.interface = interface);
        wire.bench.plan(&[(1, 65_536)], |_| {});
        let (client, first) = asking(&mut wire, 40_000);
        assert_eq!(accepted(&mut wire, &first).payload, REQUEST);
        let (asked, answered) = (REQUEST.len() as u32, ANSWER.len() as u32);
        wire.peers.send_offloaded(&first.segment(ACK | PSH, 0, asked).payload(ANSWER), SIZE);
        assert_eq!(wire.users.receive().payload, ANSWER);
        wire.users.send_offloaded(&client.segment(ACK, asked, answered), SIZE);
        assert_eq!(wire.peers.receive().flags, ACK);

        wire.bench.plan(&[(2, 65_536)], |_| {});
        wire.users.send_offloaded(&client.segment(ACK | PSH, asked, answered).payload(REQUEST), SIZE);
        let reset = wire.peers.receive();
        assert_eq!((reset.flags, reset.to), (RST, world.data_of(1)));
        let second = Backend::accepting(wire.peers.receive());
        assert_eq!(second.syn.to, world.data_of(2));
        assert_eq!(accepted(&mut wire, &second).payload, REQUEST);
        wire.peers.send_offloaded(&second.segment(ACK | PSH, 0, asked).payload(ANSWER), SIZE);
        let seen = wire.users.receive();
        assert_eq!((seen.sequence, seen.payload.as_slice()), (client.cookie + 1 + answered, ANSWER));
    });
}

fn a_refusal_becomes_a_syn_to_the_next_peer(world: World) {
    Wire::run(world, |mut wire| {
        let interface = wire.peers.index();
        wire.bench.peer(2, |peer| peer.interface = interface);
        wire.bench.plan(&[(1, 32_768), (2, 32_768)], |_| {});
        let (client, first) = asking(&mut wire, 40_000);
        wire.peers.send_offloaded(&first.refusal(), SIZE);
        let second = Backend::accepting(wire.peers.receive());
        assert_ne!(second.syn.to, first.syn.to);
        assert_eq!(accepted(&mut wire, &second).payload, REQUEST);
        let asked = REQUEST.len() as u32;
        wire.peers.send_offloaded(&second.segment(ACK | PSH, 0, asked).payload(ANSWER), SIZE);
        assert_eq!((wire.users.receive().to, client.end.0), (client.end, world.user().0));
    });
}

fn an_old_connection_at_a_peer_is_reset_and_the_syn_follows(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        let (_, peer) = asking(&mut wire, 40_000);
        // What it knows of this tuple is another connection.
        let challenge = Segment::new(peer.syn.to, peer.syn.from, ACK).numbers(77, 99).times(1, 2);
        wire.peers.send_offloaded(&challenge, SIZE);
        let reset = wire.peers.receive();
        assert_eq!((reset.flags, reset.sequence, reset.to), (RST, 99, peer.syn.to));
        let again = wire.peers.receive();
        assert_eq!((again.flags, again.sequence, again.to), (SYN, peer.syn.sequence, peer.syn.to));
    });
}

fn an_icmp_error_is_told_to_the_client(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        let (client, peer) = asking(&mut wire, 40_000);
        // A SYN is not made of such a message.
        wire.peers.send_icmp_offloaded(world.nodes, error(&peer.syn, no_host(world.nodes), 0, 8));
        let first = accepted(&mut wire, &peer);
        assert!(!wire.bench.events().contains_key("icmp_refused"));
        for quoted in [8, 33, 60] {
            wire.peers.send_icmp_offloaded(world.nodes, error(&first, no_host(world.nodes), 0, quoted));
            let told = Error::read(&wire.users.receive_icmp());
            assert_eq!((told.kind, told.to), (no_host(world.users), client.end.0));
            assert_eq!((told.ends, told.sequence), ((client.end, world.listen()), client.isn + 1));
        }
    });
}

fn an_icmp_error_is_told_to_the_peer(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        let (_, peer) = asking(&mut wire, 40_000);
        accepted(&mut wire, &peer);
        let answer = peer.segment(ACK | PSH, 0, REQUEST.len() as u32).payload(ANSWER);
        wire.peers.send_offloaded(&answer, SIZE);
        let seen = wire.users.receive();
        wire.users.send_icmp_offloaded(world.users, error(&seen, too_big(world.users), 1_400, 8));
        let told = Error::read(&wire.peers.receive_icmp());
        assert_eq!((told.kind, told.to), (too_big(world.nodes), world.data_of(1).0));
        assert_eq!((told.ends, told.sequence), ((answer.from, answer.to), answer.sequence));
    });
}

fn probes_and_strangers_are_answered(world: World) {
    Wire::run(world, |mut wire| {
        let client = Client::new(world, 40_000);
        wire.users.send_offloaded(&client.syn(), SIZE);
        let client = client.connected(&wire.users.receive());
        let mut probe = client.segment(ACK, 0, 0);
        probe.sequence -= 1;
        wire.users.send_offloaded(&probe, SIZE);
        let answer = wire.users.receive();
        assert_eq!((answer.flags, answer.acknowledgment), (ACK, client.isn + 1));
        let stranger = Segment::new(world.user(), world.data(), ACK).numbers(5, 99).payload(b"hello");
        wire.users.send_offloaded(&stranger, SIZE);
        let answer = wire.users.receive();
        assert_eq!((answer.flags, answer.sequence), (RST, 99));
    });
}
