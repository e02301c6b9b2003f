//! The programs on interfaces, with a wire behind each: what `BPF_PROG_TEST_RUN` cannot show. A VLAN tag comes in
//! beside the data and is seen again where the frame leaves; and the kernel itself routes what goes to a peer, whose
//! family may have changed.

use std::path::Path;
use std::process::Command;

use dfaas_common::translate::flag::{ACK, FIN, PSH};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::bench::{Bench, FIGLET};
use crate::segment::{Segment, Tag};
use crate::story::{ANSWER, Backend, Client, REQUEST};
use crate::tap::Tap;
use crate::world::{World, in_both_families, in_every_world};

in_every_world!(
    a_connection_to_a_peer_goes_over_the_wire_with_tags_on_the_clients_side_alone,
    the_tags_of_a_peers_frames_stay_on_its_own_side,
);
in_both_families!(an_answer_of_the_node_goes_over_the_wire_with_the_tags_of_the_request);

const TAGS: [&[Tag]; 4] =
    [&[], &[Tag::vlan(7)], &[Tag::service(100), Tag::vlan(7)], &[Tag::vlan(100), Tag::vlan(0)]];

/// A node with an interface towards users and one towards peers.
struct Wire {
    bench: Bench,
    users: Tap,
    peers: Tap,
}

fn ip(words: &str) {
    let output = Command::new("ip").args(words.split(' ')).output();
    let output = output.expect("`ip`: `cargo xtask setup` installs it");
    assert!(output.status.success(), "`ip {words}`: {}", String::from_utf8_lossy(&output.stderr));
}

/// Where pins are; every story has a file system of its own there.
const PINS: &str = "/sys/fs/bpf";

/// Leaves the machine's network and mounts, and mounts a file system for pins; all of it goes with the thread.
fn enter() {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("a network of its own: needs root");
    let none = None::<&Path>;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).expect("mounts of its own");
    mount(Some("bpf"), PINS, Some("bpf"), MsFlags::empty(), none).expect("bpffs");
    std::fs::create_dir(Path::new(PINS).join("links")).expect("a folder for links");
}

impl Wire {
    fn new(world: World) -> Self {
        let [users, peers] = ["users0", "peers0"].map(Tap::new);
        for tap in [&users, &peers] {
            // No addresses of its own making, whose announcements would only be noise.
            ip(&format!("link set {} addrgenmode none address 02:00:00:00:00:02 up", tap.name));
        }
        let (node, device) = (world.data().0, peers.name);
        let length = if node.is_ipv4() { 32 } else { 128 };
        let nodad = if node.is_ipv4() { "" } else { " nodad" };
        ip(&format!("address add {node}/{length} dev {device}{nodad}"));
        for peer in world.peers() {
            ip(&format!("route add {peer}/{length} dev {device}"));
            ip(&format!("neigh add {peer} lladdr 02:00:00:00:00:01 dev {device}"));
        }
        let mut bench = Bench::new(world);
        bench.peer(1, |peer| peer.interface = peers.index());
        for tap in [&users, &peers] {
            bench.object.attach(Path::new(PINS), tap.name).expect("programs on interfaces");
        }
        Self { bench, users, peers }
    }

    fn run(world: World, story: impl FnOnce(Self) + Send) {
        let thread = || {
            enter();
            story(Self::new(world));
        };
        let ended = std::thread::scope(|scope| scope.spawn(thread).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    /// What comes back to a user.
    fn ask(&mut self, segment: &Segment) -> Segment {
        self.users.send(segment);
        self.users.receive()
    }

    /// What goes to a peer when a user sends this.
    fn forward(&mut self, segment: &Segment) -> Segment {
        self.users.send(segment);
        self.peers.receive()
    }

    fn connect(&mut self, client: Client) -> Client {
        let answer = self.ask(&client.syn());
        assert_eq!(answer.tags, client.tags);
        let client = client.connected(&answer);
        self.users.send(&client.segment(ACK, 0, 0));
        client
    }
}

/// A whole connection of a client with these tags to a peer whose frames carry those.
fn to_a_peer(wire: &mut Wire, client: Client, of_peer: &[Tag]) {
    let world = client.world;
    let client = wire.connect(client);
    let syn = wire.forward(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
    assert_eq!((syn.from.0, syn.to), (world.data().0, world.data_of(1)));
    assert!(syn.tags.is_empty(), "{syn:?}");
    let mut peer = Backend::accepting(syn);
    peer.syn.tags = of_peer.to_vec();
    wire.peers.send(&peer.syn_ack());
    let request = wire.peers.receive();
    assert_eq!((request.tags.as_slice(), request.payload.as_slice()), ([].as_slice(), REQUEST));

    let (sent, got) = (ANSWER.len() as u32, REQUEST.len() as u32);
    for answer in [peer.segment(ACK | PSH, 0, got).payload(ANSWER), peer.fin(sent, got)] {
        wire.peers.send(&answer);
        let seen = wire.users.receive();
        assert_eq!((seen.from, seen.to), (world.listen(), client.end));
        assert_eq!((seen.tags.as_slice(), &seen.payload), (client.tags.as_slice(), &answer.payload));
        assert_eq!(seen.hardware, client.syn().outgoing().hardware);
    }
    let last = wire.forward(&client.segment(FIN | ACK, got, sent + 1));
    assert_eq!((last.to, last.flags, last.tags.as_slice()), (world.data_of(1), FIN | ACK, [].as_slice()));
}

fn a_connection_to_a_peer_goes_over_the_wire_with_tags_on_the_clients_side_alone(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        for (port, tags) in (40_000..).zip(TAGS) {
            to_a_peer(&mut wire, Client::new(world, port).tagged(tags), &[]);
        }
        assert_eq!(wire.bench.invocations(), [((FIGLET, 1, 0), TAGS.len() as u64)].into());
    });
}

fn the_tags_of_a_peers_frames_stay_on_its_own_side(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(1, 65_536)], |_| {});
        for (port, (tags, of_peer)) in (40_000..).zip(TAGS.into_iter().zip(TAGS.into_iter().rev())) {
            to_a_peer(&mut wire, Client::new(world, port).tagged(tags), of_peer);
        }
    });
}

fn an_answer_of_the_node_goes_over_the_wire_with_the_tags_of_the_request(world: World) {
    Wire::run(world, |mut wire| {
        wire.bench.plan(&[(0xffff, 65_536)], |_| {});
        for (port, tags) in (40_000..).zip(TAGS) {
            let client = wire.connect(Client::new(world, port).tagged(tags));
            let answer = wire.ask(&client.segment(ACK | PSH, 0, 0).payload(REQUEST));
            assert!(answer.text().starts_with("HTTP/1.1 503 "), "{answer:?}");
            assert_eq!((answer.tags.as_slice(), answer.to), (tags, client.end));
        }
    });
}
