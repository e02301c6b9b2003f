//! `dataplane.mode`: where native XDP is attached, that agents take it over and off again, and what is in its way.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::process::Command;

use aya::programs::links::{FdLink, PinnedLink};
use dfaas_common::ABI_VERSION;
use dfaas_userspace::dataplane::{DataPlane as _, Kernel, Mode, Object, Settings, open_kernel, unload};
use nix::sched::{CloneFlags, unshare};

/// The pins, which go with the test.
struct Pin(PathBuf);

impl Drop for Pin {
    fn drop(&mut self) {
        let _ = unload(&self.0);
    }
}

/// A machine with `users0`, one end of a virtual pair, and `bridge0`, for agents that come and go.
struct Machine {
    pin: Pin,
}

fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split(' ')).output();
    let output = output.expect("`ip`: `cargo xtask setup` installs it");
    assert!(output.status.success(), "`ip {words}`: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Number of the native XDP program on an interface, as the kernel tells it to others.
fn program(interface: &str) -> Option<u32> {
    let text = ip(&format!("link show dev {interface}"));
    assert!(!text.contains("xdpgeneric"), "{text}");
    text.split_once("prog/xdp id ").map(|(_, rest)| rest.split(' ').next().unwrap().trim().parse().unwrap())
}

impl Machine {
    fn run(name: &str, test: impl FnOnce(Self) + Send) {
        let thread = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network of its own: tests need root");
            for words in [
                "link set dev lo up",
                "link add name users0 type veth peer name users1",
                "link add name bridge0 type bridge",
                "address add 10.9.0.1/24 dev users0",
                "link set dev users0 up",
                "link set dev users1 up",
                "link set dev bridge0 up",
            ] {
                ip(words);
            }
            let name = format!("/sys/fs/bpf/dfaas-modes-{}-{name}", std::process::id());
            test(Self { pin: Pin(PathBuf::from(name)) });
        };
        let ended = std::thread::scope(|scope| scope.spawn(thread).join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }

    fn settings(&self, mode: Mode, interfaces: &[&str]) -> Settings {
        Settings {
            interfaces: interfaces.iter().map(|name| (*name).to_owned()).collect(),
            listen: vec!["10.9.0.1:8080".parse().unwrap()],
            users: Vec::new(),
            data_port: 31601,
            data_address: None,
            gateway: None,
            mode,
            snat_ports: 20_000..=20_099,
            pin: self.pin.0.clone(),
            max_flows: 256,
            forwarded_for: true,
            packet_log: false,
        }
    }

    /// An agent starts.
    fn agent(&self, mode: Mode) -> Kernel {
        open_kernel(&self.settings(mode, &["users0"])).unwrap_or_else(|e| panic!("the data plane: {e}"))
    }

    /// An agent does not start; why.
    fn error(&self, mode: Mode, interfaces: &[&str]) -> String {
        let opened = open_kernel(&self.settings(mode, interfaces));
        opened.err().expect("an interface that cannot do what is asked").to_string()
    }

    /// Number of the pinned link for native XDP.
    fn link(&self) -> Option<u32> {
        let path = self.pin.0.join(format!("v{ABI_VERSION}/links/users0-xdp"));
        Some(FdLink::from(PinnedLink::from_pin(path).ok()?).info().expect("what the kernel knows").id())
    }
}

/// How `users0` is served, and why, as the agent tells it.
fn told(kernel: &Kernel) -> (bool, String) {
    let snapshot = kernel.snapshot().expect("a snapshot");
    let [only] = &snapshot.attachments[..] else { panic!("one interface: {snapshot:?}") };
    assert_eq!(only.interface, "users0");
    (only.native, only.why.clone())
}

#[test]
fn native_xdp_outlives_its_agent_is_replaced_by_the_next_and_goes_with_the_mode() {
    Machine::run("restart", |machine| {
        let kernel = machine.agent(Mode::Tcx);
        assert_eq!((told(&kernel).0, program("users0")), (false, None));
        drop(kernel);

        let kernel = machine.agent(Mode::XdpNative);
        assert!(told(&kernel).0, "{:?}", told(&kernel));
        let (first, link) = (program("users0").expect("a program"), machine.link().expect("a link"));
        drop(kernel);
        assert_eq!(program("users0"), Some(first), "nobody is there, and it stays");

        let kernel = machine.agent(Mode::XdpNative);
        let second = program("users0").expect("a program");
        assert_ne!(second, first, "that of the new agent");
        assert_eq!(machine.link(), Some(link), "in the same link, so without a moment between");
        drop(kernel);

        let kernel = machine.agent(Mode::Auto);
        let (native, why) = told(&kernel);
        assert!(!native && why.contains("segmentation offload"), "{why}");
        assert_eq!((program("users0"), machine.link()), (None, None));
    });
}

#[test]
fn unloading_and_leaving_take_native_xdp_off() {
    Machine::run("leave", |machine| {
        drop(machine.agent(Mode::XdpNative));
        assert!(program("users0").is_some());
        assert!(unload(&machine.pin.0).expect("unloading"));
        assert_eq!(program("users0"), None);

        let kernel = Box::new(machine.agent(Mode::XdpNative));
        assert!(program("users0").is_some());
        kernel.leave(std::time::Duration::ZERO).expect("leaving");
        assert_eq!(program("users0"), None);
    });
}

#[test]
fn names_with_dots_as_vlan_devices_have_them_are_served_too() {
    Machine::run("dots", |machine| {
        ip("link set dev users0 down name users0.7");
        ip("link set dev users0.7 up");
        let settings = machine.settings(Mode::XdpNative, &["users0.7"]);
        drop(open_kernel(&settings).expect("a data plane"));
        let first = program("users0.7").expect("a program");
        drop(open_kernel(&settings).expect("it is taken over"));
        assert!(program("users0.7").is_some_and(|second| second != first));
        drop(open_kernel(&machine.settings(Mode::Auto, &["lo"])).expect("the loopback"));
        assert_eq!(program("users0.7"), None);
    });
}

#[test]
fn an_interface_that_is_no_longer_listed_loses_native_xdp_too() {
    Machine::run("listed", |machine| {
        drop(machine.agent(Mode::XdpNative));
        assert!(program("users0").is_some());
        let _kernel =
            open_kernel(&machine.settings(Mode::XdpNative, &["lo"])).expect("the loopback goes along");
        assert_eq!(program("users0"), None);
    });
}

#[test]
fn an_interface_whose_driver_cannot_is_named_and_what_was_there_goes_on() {
    Machine::run("driver", |machine| {
        drop(machine.agent(Mode::XdpNative));
        let before = program("users0");
        let error = machine.error(Mode::XdpNative, &["users0", "bridge0"]);
        for part in ["native XDP on bridge0 (driver bridge)", "has no native XDP", "\"auto\""] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(program("users0"), before);
        let settings = machine.settings(Mode::Auto, &["users0", "bridge0"]);
        let kernel = open_kernel(&settings).expect("`auto` takes what there is");
        let attachments = kernel.snapshot().expect("a snapshot").attachments;
        assert!(attachments[1].why.contains("driver bridge has no native XDP"), "{attachments:?}");
    });
}

#[test]
fn the_program_of_somebody_else_stays() {
    Machine::run("other", |machine| {
        let others = Pin(PathBuf::from(format!("{}-other", machine.pin.0.display())));
        std::fs::create_dir_all(others.0.join("links")).expect("a folder for links: is bpffs mounted?");
        let mut object = Object::load(None, 16, false).expect("programs");
        object.attach_xdp(&others.0, "users0", true).expect("a program of somebody else");
        let theirs = program("users0").expect("a program");

        let kernel = machine.agent(Mode::Auto);
        let (native, why) = told(&kernel);
        assert!(!native && why.contains(&format!("another XDP program (number {theirs})")), "{why}");
        drop(kernel);
        let error = machine.error(Mode::XdpNative, &["users0"]);
        assert!(error.contains("another XDP program") && error.contains("users0 (driver veth)"), "{error}");
        assert_eq!(program("users0"), Some(theirs));

        drop(others);
        assert!(told(&machine.agent(Mode::XdpNative)).0, "the way is free");
    });
}

#[test]
fn an_interface_that_comes_to_need_the_tags_which_its_driver_hides_loses_native_xdp() {
    Machine::run("tags", |machine| {
        let mut kernel = machine.agent(Mode::XdpNative);
        kernel.maintain().expect("maintenance");
        assert!(told(&kernel).0 && program("users0").is_some());
        ip("link set dev users0 master bridge0");
        kernel.maintain().expect("maintenance");
        let (native, why) = told(&kernel);
        assert!(!native && why.contains("bridge0 may need them"), "{why}");
        assert_eq!(program("users0"), None);
        drop(kernel);
        let error = machine.error(Mode::XdpNative, &["users0"]);
        assert!(error.contains("ethtool -K users0 rxvlan off"), "{error}");
        assert!(Path::new(&machine.pin.0).exists(), "tcx goes on");
    });
}
