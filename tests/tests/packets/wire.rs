//! The programs on interfaces, with a wire behind each, for what `BPF_PROG_TEST_RUN` cannot show: VLAN tags beside the
//! data, work that is left to the device, and the kernel's own routing of what goes to a peer.

use std::path::Path;
use std::process::Command;

use dfaas_common::translate::flag::ACK;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::bench::Bench;
use crate::segment::Segment;
use crate::story::Client;
use crate::tap::Tap;
use crate::world::World;

/// A node with an interface towards users and one towards peers.
pub struct Wire {
    pub bench: Bench,
    pub users: Tap,
    pub peers: Tap,
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
        let mut bench = Bench::to_attach(world);
        bench.peer(1, |peer| peer.interface = peers.index());
        for tap in [&users, &peers] {
            bench.object.attach(Path::new(PINS), tap.name).expect("programs on interfaces");
            if world.xdp {
                bench.object.attach_xdp(Path::new(PINS), tap.name, false).expect("native XDP of TUN");
            }
        }
        Self { bench, users, peers }
    }

    /// Tells a story of a node in a network of its own.
    pub fn run(world: World, story: impl FnOnce(Self) + Send) {
        let thread = || {
            enter();
            story(Self::new(world));
        };
        let ended = std::thread::scope(|scope| scope.spawn(thread).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    /// What comes back to a user.
    pub fn ask(&mut self, segment: &Segment) -> Segment {
        self.users.send(segment);
        self.users.receive()
    }

    /// What goes to a peer when a user sends this.
    pub fn forward(&mut self, segment: &Segment) -> Segment {
        self.users.send(segment);
        self.peers.receive()
    }

    /// A client opens a connection.
    pub fn connect(&mut self, client: Client) -> Client {
        let answer = self.ask(&client.syn());
        assert_eq!(answer.tags, client.tags);
        let client = client.connected(&answer);
        self.users.send(&client.segment(ACK, 0, 0));
        client
    }
}
