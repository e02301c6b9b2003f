//! The lab itself: namespaces that reach each other as promised, load that is counted right, nothing left behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dfaas_tests::load::{self, Load};
use dfaas_tests::{
    Lab, Namespace, Offloads, Process, Topology, container_address, container_address6, node_address,
    node_address6, peer_address, peer_address6, user_address,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use nix::sys::signal::Signal;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

fn two_nodes() -> Lab {
    Lab::new(Topology { nodes: 2, users: 3, ..Topology::default() }).unwrap()
}

/// An echo server in a namespace, until its sender is dropped: every third request is rejected, every tenth gets a
/// wrong body.
fn serve(namespace: &Namespace, address: SocketAddr) -> oneshot::Sender<()> {
    let (stop, stopped) = oneshot::channel();
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    namespace
        .spawn_async(move || async move {
            let listener = TcpListener::bind(address).await.unwrap();
            ready.send(()).unwrap();
            let requests = Arc::new(AtomicU64::new(0));
            let accept = async {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let requests = Arc::clone(&requests);
                    let service = service_fn(move |request| answer(request, Arc::clone(&requests)));
                    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
                }
            };
            tokio::select! {
                () = accept => {}
                _ = stopped => {}
            }
        })
        .unwrap();
    is_ready.recv().unwrap();
    stop
}

async fn answer(
    request: Request<Incoming>,
    requests: Arc<AtomicU64>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let number = requests.fetch_add(1, Ordering::Relaxed);
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let (status, body) = match number % 30 {
        n if n % 3 == 1 => (StatusCode::TOO_MANY_REQUESTS, Bytes::new()),
        n if n % 10 == 0 => (StatusCode::OK, Bytes::from_static(b"something else")),
        _ => (StatusCode::OK, body),
    };
    Ok(Response::builder().status(status).header("DFaaS-Node", "node-1").body(Full::new(body)).unwrap())
}

/// Whatever on this machine carries the name of a lab.
fn traces(lab: &str) -> Vec<PathBuf> {
    let folders = [Path::new("/run/netns"), Path::new("/sys/fs/bpf"), &std::env::temp_dir()];
    folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains(lab))
        .collect()
}

#[test]
fn every_invocation_has_an_outcome_and_the_second_in_which_it_was_due() {
    let lab = two_nodes();
    let target = SocketAddr::from((node_address(1), 8080));
    let server = serve(&lab.node(1), target);
    let sources = (0..3).map(|user| user_address(1, user).into()).collect();
    let load = Load { sources, ..Load::new(target, "figlet", 300.0, Duration::from_secs(2)) };
    let report = load::start(&lab.users(1), load).unwrap().finish().unwrap();
    drop(server);

    let total = report.total();
    // Of 30 requests 10 are rejected and numbers 0 and 20 get a wrong body (10 is rejected).
    assert_eq!(
        (total.sent, total.rejected, total.failed, total.ok),
        (600, 200, 40, 360),
        "{:?}",
        report.reasons()
    );
    assert_eq!(report.seconds().iter().map(|second| second.sent).collect::<Vec<_>>(), [300, 300]);
    assert_eq!(total.by_node, [("node-1".to_owned(), 360)].into());
    assert_eq!(report.reasons()["wrong body from node-1"], 40);
    assert!(report.latency(50.0).unwrap() > Duration::ZERO);
}

#[test]
fn a_load_on_a_closed_port_fails_and_says_why() {
    let lab = two_nodes();
    let load = Load::new((node_address(1), 8080).into(), "figlet", 20.0, Duration::from_secs(1));
    let report = load::start(&lab.users(1), load).unwrap().finish().unwrap();
    assert_eq!(report.total().failed, 20);
    assert_eq!(report.reasons()["connect: connection refused"], 20);
}

#[test]
fn what_is_due_beyond_the_bound_is_not_sent_but_counted() {
    let lab = two_nodes();
    // Accepts by the kernel's queue, never answers.
    let silent = lab.node(1).run(|| std::net::TcpListener::bind((node_address(1), 8080)).unwrap()).unwrap();
    let load = Load {
        max_outstanding: 5,
        timeout: Duration::from_secs(5),
        ..Load::new((node_address(1), 8080).into(), "figlet", 40.0, Duration::from_secs(1))
    };
    let report = load::start(&lab.users(1), load).unwrap().finish().unwrap();
    drop(silent);
    assert_eq!(report.reasons()["not sent: 5 invocations under way"], 35);
    assert_eq!(report.reasons()["no whole answer within 5s"], 5);
}

#[test]
fn nodes_reach_each_other_over_the_switch_and_users_reach_their_node_whatever_the_offloads() {
    for offloads in [Offloads::AsMade, Offloads::WithGro, Offloads::None] {
        let lab = Lab::new(Topology { nodes: 2, users: 1, offloads }).unwrap();
        let body = Bytes::from(vec![b'x'; 300_000]);
        let ways: [(IpAddr, Namespace); 4] = [
            (peer_address(2).into(), lab.node(1)),
            (peer_address6(2).into(), lab.node(1)),
            (node_address(2).into(), lab.users(2)),
            (node_address6(2).into(), lab.users(2)),
        ];
        for (address, from) in ways {
            let target = SocketAddr::from((address, 8080));
            let server = serve(&lab.node(2), target);
            let load = Load { body: body.clone(), ..Load::new(target, "f", 30.0, Duration::from_secs(1)) };
            let report = load::start(&from, load).unwrap().finish().unwrap();
            drop(server);
            assert_eq!(report.total().ok, 18, "{offloads:?} {:?}", report.reasons());
        }
    }
}

#[test]
fn a_container_reaches_the_users_of_its_node_over_both_families() {
    let lab = two_nodes();
    let container = lab.add_container(2).unwrap();
    for address in [IpAddr::from(container_address(2)), container_address6(2).into()] {
        let target = SocketAddr::from((address, 8080));
        let server = serve(&container, target);
        let load = Load::new(target, "f", 30.0, Duration::from_secs(1));
        let report = load::start(&lab.users(2), load).unwrap().finish().unwrap();
        drop(server);
        assert_eq!(report.total().ok, 18, "{address} {:?}", report.reasons());
    }
}

#[test]
fn programs_run_inside_their_namespace_and_leave_their_output_in_the_log() {
    let lab = two_nodes();
    let mut command = Command::new("ip");
    command.args(["-brief", "address", "show", "dev", "peers0"]);
    let log = lab.folder().join("ip.log");
    let mut process = Process::spawn("ip", &lab.node(2), command, &log).unwrap();
    assert!(process.wait(Duration::from_secs(10)).unwrap().unwrap().success());
    assert!(process.log_tail().contains("10.77.0.2/24"), "{}", process.log_tail());

    let mut command = Command::new("sleep");
    command.arg("1000");
    let mut process = Process::spawn("sleep", &lab.node(2), command, &log).unwrap();
    process.check().unwrap();
    process.signal(Signal::SIGKILL).unwrap();
    process.wait(Duration::from_secs(10)).unwrap();
    assert!(process.check().unwrap_err().to_string().contains("sleep ended"));
}

#[test]
fn nothing_is_left_of_a_lab_that_was_dropped() {
    let lab = two_nodes();
    let name = lab.name();
    let pid = {
        let mut command = Command::new("sh");
        // Deaf to SIGTERM.
        command.args(["-c", "trap '' TERM; while :; do sleep 1; done"]);
        let process = Process::spawn("sh", &lab.node(1), command, &lab.folder().join("log")).unwrap();
        let pid = process.pid();
        // Dropped without ending it, as a crashed test would leave it.
        std::mem::forget(process);
        pid
    };
    assert!(traces(&name).len() >= 6, "{:?}", traces(&name));
    drop(lab);
    assert_eq!(traces(&name), Vec::<PathBuf>::new());
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    assert!(status.is_empty() || status.contains("State:\tZ"), "{status}");
}

#[test]
fn what_a_killed_run_left_behind_is_removed_by_the_next() {
    // The highest process id that Linux can give is one less.
    let dead = "dfl4194304-0";
    let output = Command::new("ip").args(["netns", "add", &format!("{dead}-n1")]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let foreign = format!("dflx{}", std::process::id());
    assert!(Command::new("ip").args(["netns", "add", &foreign]).status().unwrap().success());

    let lab = two_nodes();
    assert_eq!(traces(dead), Vec::<PathBuf>::new());
    let kept = traces(&foreign);
    drop(lab);
    assert!(Command::new("ip").args(["netns", "del", &foreign]).status().unwrap().success());
    assert_eq!(kept.len(), 1, "namespaces of others stay");
}

#[test]
fn two_labs_of_one_process_do_not_meet() {
    let first = two_nodes();
    let second = two_nodes();
    assert_ne!(first.name(), second.name());
    let name = second.name();
    drop(first);
    assert!(!traces(&name).is_empty());
}
