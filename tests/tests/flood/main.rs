//! What a SYN costs the node, answered by tcx and by native XDP: the programs alone, and under a flood. The figures are
//! printed and not judged.
//!
//! `cargo test -p dfaas-tests --test flood -- --test-threads=1 --nocapture`, with `DFAAS_ROUNDS` for more rounds.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod sender;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aya::programs::{TestRun, TestRunOptions, TestRunResult};
use dfaas_common::ABI_VERSION;
use dfaas_tests::{Family, Lab, Topology};
use dfaas_userspace::dataplane::{DataPlane as _, Kernel, Mode, Object, Settings, open_kernel};
use etherparse::{IpHeaders, Ipv4Header, Ipv6Header, PacketBuilder, TcpHeader, ip_number};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;

use self::sender::Sender;

/// SYNs of a round.
const SYNS: u32 = 400_000;
/// Runs of a program alone.
const RUNS: usize = 5_000;

/// How often each mode has its turn.
fn rounds() -> usize {
    std::env::var("DFAAS_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// A node without an agent's other parts.
struct Site {
    lab: Lab,
    family: Family,
}

impl Site {
    fn new(family: Family) -> Self {
        Self { lab: Lab::new(Topology { nodes: 1, ..Topology::default() }).unwrap(), family }
    }

    fn pin(&self) -> PathBuf {
        self.lab.pin(1)
    }

    /// Attaches the data plane in this mode and steers.
    fn attach(&self, mode: Mode) -> Kernel {
        let settings = Settings {
            interfaces: vec!["users0".to_owned()],
            listen: self.family.node_addresses(1),
            users: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
            data_port: 31601,
            data_address: None,
            gateway: None,
            mode,
            snat_ports: 20_000..=20_099,
            pin: self.pin(),
            max_flows: 65_536,
            forwarded_for: true,
            packet_log: false,
        };
        let open = || {
            let mut kernel = open_kernel(&settings).unwrap_or_else(|e| panic!("the data plane: {e}"));
            kernel.set_armed(true).expect("settings");
            kernel
        };
        self.lab.node(1).run(open).unwrap()
    }

    /// The SYN of a Linux client. It says to come from a stranger's hardware, so that nobody resets what is answered.
    fn syn(&self) -> Vec<u8> {
        let to = self.family.node_address(1);
        let from = self.family.user_addresses(1, 0)[0];
        let ip = match (from, to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let header = Ipv4Header::new(0, 64, ip_number::TCP, from.octets(), to.octets()).unwrap();
                IpHeaders::Ipv4(header, Default::default())
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let (source, destination) = (from.octets(), to.octets());
                let header = Ipv6Header { hop_limit: 64, source, destination, ..Ipv6Header::default() };
                IpHeaders::Ipv6(header, Default::default())
            }
            ends => panic!("no packet goes between {ends:?}"),
        };
        let mut tcp = TcpHeader::new(40_000, to.port(), 1_000, 64_240);
        tcp.syn = true;
        tcp.set_options_raw(&[2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 244, 0, 0, 0, 0, 1, 3, 3, 7]).unwrap();
        let hardware = || {
            let mut users0 = getifaddrs().unwrap().filter(|i| i.interface_name == "users0");
            users0.find_map(|i| i.address?.as_link_addr()?.addr()).expect("a hardware address")
        };
        let node = self.lab.node(1).run(hardware).unwrap();
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], node)
            .ip(ip)
            .tcp_header(tcp)
            .write(&mut frame, &[])
            .unwrap();
        frame
    }

    /// Where the source port is in such a frame.
    fn port_at(&self) -> usize {
        14 + if self.family.node_address(1).is_ipv4() { 20 } else { 40 }
    }
}

/// SYNs that were answered since the data plane is there.
fn answered(kernel: &Kernel) -> u64 {
    let events = kernel.events().expect("events");
    events.iter().find(|(name, _)| *name == "syn_answered").expect("a counter of answers").1
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Nanoseconds of a run of a program, median.
fn cost<P>(program: &P, frame: &[u8], verdict: u32) -> f64
where
    P: for<'a> TestRun<Opts<'a> = TestRunOptions<'a>, Result = TestRunResult>,
{
    let run = || {
        let options = TestRunOptions { data_in: Some(frame), ..TestRunOptions::default() };
        let result = program.test_run(options).expect("BPF_PROG_TEST_RUN");
        assert_eq!(result.return_value, verdict, "a SYN is answered");
        result.duration.as_nanos() as f64
    };
    median((0..RUNS).map(|_| run()).collect())
}

#[test]
fn each_program_answers_every_syn_and_tells_its_time() {
    const TC_REDIRECT: u32 = 7;
    const XDP_TX: u32 = 3;
    for family in [Family::V4, Family::V6] {
        let site = Site::new(family);
        let kernel = site.attach(Mode::Tcx);
        let folder = site.pin().join(format!("v{ABI_VERSION}"));
        // The same maps under programs that can be run frame by frame.
        let mut programs = Object::load(Some(&folder), 65_536, false).expect("the programs once more");
        programs.load_xdp().expect("those for XDP");
        let (syn, before) = (site.syn(), answered(&kernel));
        let packet = cost(programs.program("dfaas_ingress").unwrap(), &syn, TC_REDIRECT);
        let frame = cost(programs.xdp("dfaas_xdp").unwrap(), &syn, XDP_TX);
        assert_eq!(answered(&kernel) - before, 2 * RUNS as u64);
        println!("{family:?}: a SYN takes the tcx program {packet} ns, the XDP program {frame} ns");
    }
}

/// Floods the node; SYNs a second that were answered.
fn flood(site: &Site, kernel: &Kernel, sender: &Sender) -> f64 {
    let before = answered(kernel);
    let send = || {
        let begun = Instant::now();
        sender.send(SYNS).unwrap_or_else(|e| panic!("sending frames of a driver: {e}"));
        begun.elapsed()
    };
    let time = site.lab.users(1).run(send).unwrap();
    // What is still in the queue belongs to the flood.
    let mut answers = answered(kernel) - before;
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = answered(kernel) - before;
        if std::mem::replace(&mut answers, now) == now {
            break;
        }
    }
    // What a queue has no room for never reaches a program; how much that is, the machine decides.
    assert!(answers <= u64::from(SYNS), "{answers} answers to {SYNS} SYNs");
    assert!(answers > 0, "no SYN was answered; events: {:?}", kernel.events());
    println!("{:.1} % of {SYNS} SYNs reached the program", 100.0 * answers as f64 / f64::from(SYNS));
    answers as f64 / time.as_secs_f64()
}

#[test]
fn both_modes_answer_a_flood_and_tell_how_fast() {
    for family in [Family::V4, Family::V6] {
        let site = Site::new(family);
        let interface = site.lab.users(1).run(|| if_nametoindex("eth0")).unwrap().unwrap();
        let sender = Sender::new(site.syn(), site.port_at(), interface).unwrap();
        let (mut tcx, mut xdp, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let rate = |mode| flood(&site, &site.attach(mode), &sender);
            let round = (rate(Mode::Tcx), rate(Mode::XdpNative));
            tcx.push(round.0);
            xdp.push(round.1);
            ratios.push(round.1 / round.0);
        }
        let (tcx, xdp, ratio) = (median(tcx), median(xdp), median(ratios));
        println!(
            "{family:?}: {tcx:.0} SYNs/s answered by tcx, {xdp:.0} by native XDP: {ratio:.1} times as many"
        );
    }
}
