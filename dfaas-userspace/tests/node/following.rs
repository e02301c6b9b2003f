//! Following single invocations over the agent's socket, and its connections of the moment.

use std::process::{Child, Command, Stdio};

use dfaas_userspace::admin::{self, Lines};
use dfaas_userspace::agent::{Exit, FlowsReport, FollowLine};
use dfaas_userspace::dataplane::{Explanation, FlowView, Seen};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt as _;

use crate::double::Double;
use crate::harness::{Node, eventually};

fn seen(function: &str, backend: &str) -> Seen {
    Seen {
        time: 1e9,
        function: function.to_owned(),
        peer: None,
        client: "203.0.113.7:40000".parse().unwrap(),
        backend: backend.to_owned(),
        gateway: None,
        server: None,
        way: "first".to_owned(),
        status: Some(200),
        first_byte_ms: Some(1.0),
        took_ms: 2.0,
        bytes_to_backend: 3,
        bytes_to_client: 4,
        end: "answered".to_owned(),
        pinned: false,
    }
}

fn line(seen: Seen) -> FollowLine {
    FollowLine::Invocation(Box::new(seen))
}

async fn node() -> Node {
    Node::start(&["figlet"]).await.ready().await
}

async fn follow(node: &Node, query: &str) -> Lines {
    admin::follow(&node.socket(), &format!("/flows/follow{query}")).await.expect("it can be followed")
}

/// The next lines, at least so many.
async fn lines(from: &mut Lines, least: usize) -> Vec<FollowLine> {
    let mut lines = Vec::new();
    while lines.len() < least {
        let more = from.next().await.expect("the agent is there").expect("it goes on");
        lines.extend(more.iter().map(|line| serde_json::from_slice(line).expect("a line of JSON")));
    }
    lines
}

async fn sample_is(dataplane: &Double, sample: u32) {
    eventually(&format!("one in {sample} is reported"), async || dataplane.memory().sample == sample).await;
}

#[tokio::test]
async fn a_follower_is_told_each_invocation_and_with_the_last_follower_the_reports_end() {
    let node = node().await;
    node.dataplane.memory().seen.push(seen("of earlier", "local"));
    let mut first = follow(&node, "").await;
    assert_eq!(node.dataplane.memory().sample, 1, "as soon as the answer begins");
    assert_eq!(lines(&mut first, 1).await, [FollowLine::Following { sample: 1 }]);
    node.dataplane.memory().seen.extend([seen("figlet", "b"), seen("qrcode", "local")]);
    let told = lines(&mut first, 2).await;
    assert_eq!(told, [seen("figlet", "b"), seen("qrcode", "local")].map(line));

    let second = follow(&node, "?sample=7").await;
    drop(first);
    sample_is(&node.dataplane, 7).await;
    drop(second);
    sample_is(&node.dataplane, 0).await;
    node.dataplane.memory().seen.push(seen("figlet", "b"));
    let mut again = follow(&node, "").await;
    assert_eq!(lines(&mut again, 1).await, [FollowLine::Following { sample: 1 }], "and nothing from before");
}

#[tokio::test]
async fn who_wants_less_than_another_gets_less() {
    let node = node().await;
    let mut all = follow(&node, "").await;
    let mut few = follow(&node, "?sample=10").await;
    node.dataplane.memory().seen.extend((0..100).map(|_| seen("figlet", "b")));
    assert_eq!(lines(&mut all, 101).await.len(), 101);
    assert_eq!(lines(&mut few, 11).await.len(), 11);
    assert_eq!(node.dataplane.memory().sample, 1);
}

#[tokio::test]
async fn only_what_was_asked_for_is_told() {
    let node = node().await;
    let mut figlet = follow(&node, "?function=figlet&backend=b").await;
    let mut of_peer = follow(&node, "?peer=b").await;
    let from_peer = Seen { peer: Some("b".to_owned()), ..seen("qrcode", "local") };
    let all = [seen("figlet", "local"), seen("qrcode", "b"), from_peer.clone(), seen("figlet", "b")];
    node.dataplane.memory().seen.extend(all);
    let told = lines(&mut figlet, 2).await;
    assert_eq!(told[1..], [line(seen("figlet", "b"))]);
    let told = lines(&mut of_peer, 4).await;
    let expected = [seen("qrcode", "b"), from_peer, seen("figlet", "b")];
    assert_eq!(told[1..], expected.map(line));
}

#[tokio::test]
async fn what_was_lost_in_the_kernel_or_by_a_slow_reader_is_told_with_its_number() {
    let node = node().await;
    let mut quick = follow(&node, "").await;
    let mut slow = follow(&node, "").await;
    assert_eq!(lines(&mut slow, 1).await.len(), 1);
    // More than sockets and channels hold.
    let (rounds, each) = (20, 4_000);
    let mut got = lines(&mut quick, 1).await.len() - 1;
    for _ in 0..rounds {
        node.dataplane.memory().seen.extend((0..each).map(|_| seen("figlet", "b")));
        let mut more = 0;
        while more < each {
            more += lines(&mut quick, 1).await.len();
        }
        assert_eq!(more, each, "a quick reader misses nothing");
        got += more;
    }
    node.dataplane.memory().lost = 12;
    assert_eq!(lines(&mut quick, 1).await, [FollowLine::Missed { in_kernel: 12, by_reader: 0 }]);
    let (mut told, mut missed, mut in_kernel) = (0, 0, 0);
    while told + missed < got || in_kernel == 0 {
        for line in lines(&mut slow, 1).await {
            match line {
                FollowLine::Invocation(_) => told += 1,
                FollowLine::Missed { in_kernel: kernel, by_reader } => {
                    in_kernel += kernel;
                    missed += by_reader as usize;
                }
                FollowLine::Following { .. } => panic!("once, at the beginning"),
            }
        }
    }
    assert!(missed > 0, "it was slow");
    assert_eq!((told + missed, in_kernel), (got, 12));
}

#[tokio::test]
async fn a_data_plane_that_does_not_report_is_said_and_tried_again() {
    let node = node().await;
    node.dataplane.memory().broken = true;
    let error = admin::follow(&node.socket(), "/flows/follow").await.unwrap_err().to_string();
    assert!(error.contains("does not report: map PLAN: told to fail (503"), "{error}");
    let error = admin::get(&node.socket(), "/flows").await.unwrap_err().to_string();
    assert!(error.contains("told to fail"), "{error}");
    node.dataplane.memory().broken = false;
    let mut lines_of = follow(&node, "").await;
    node.dataplane.memory().seen.push(seen("figlet", "b"));
    assert_eq!(lines(&mut lines_of, 2).await.len(), 2);
}

#[tokio::test]
async fn there_are_not_more_followers_than_the_node_can_bear() {
    let node = node().await;
    let mut all = Vec::new();
    for _ in 0..16 {
        all.push(follow(&node, "?sample=3").await);
    }
    let error = admin::follow(&node.socket(), "/flows/follow").await.unwrap_err().to_string();
    assert!(error.contains("16 follow already"), "{error}");
    assert_eq!(node.dataplane.memory().sample, 3);
    all.pop();
    eventually("there is a place again", async || {
        admin::follow(&node.socket(), "/flows/follow").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_ends_stops_the_reports_and_ends_the_answer() {
    let node = node().await;
    let mut told = follow(&node, "").await;
    let dataplane = node.dataplane.clone();
    let (_, _folder) = node.end(Exit::Keep).await;
    assert_eq!(dataplane.memory().sample, 0);
    let end = async { while let Ok(Some(_)) = told.next().await {} };
    end.await;
}

#[tokio::test]
async fn nobody_follows_over_the_tcp_address() {
    let node = node().await;
    for path in ["/flows", "/flows/follow"] {
        assert_eq!(node.get(path).await.unwrap().0, 404, "{path}");
    }
}

fn command(node: &Node, arguments: &[&str]) -> Child {
    start(node, "flows", arguments)
}

fn start(node: &Node, name: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dfaas"));
    command.arg(name).args(arguments).arg("--socket").arg(node.socket()).env_remove("RUST_LOG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
}

/// What a command has said when it has ended: exit code, output and errors.
async fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_a_line_each_and_ends_after_so_many() {
    let node = node().await;
    let child = command(&node, &["--follow", "--limit", "2", "--sample", "2"]);
    sample_is(&node.dataplane, 2).await;
    node.dataplane.memory().seen.extend((0..3).map(|_| seen("figlet", "b")));
    let (code, out, err) = ended(child).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "one invocation in 2");
    assert!(lines[1].starts_with("TIME (UTC)") && lines[2].contains("figlet"), "{out}");
    assert_eq!(lines.len(), 4, "{out}");
    assert!(!out.contains('\x1b'), "no colours where there is no terminal");

    let child = command(&node, &["--follow", "--json", "--limit", "1"]);
    sample_is(&node.dataplane, 1).await;
    node.dataplane.memory().seen.push(seen("figlet", "b"));
    let (_, out, _) = ended(child).await;
    let lines: Vec<FollowLine> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [FollowLine::Following { sample: 1 }, line(seen("figlet", "b"))]);
    sample_is(&node.dataplane, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_or_killed_the_command_leaves_no_reports_behind() {
    let node = node().await;
    for (signal, code) in [(Signal::SIGINT, Some(0)), (Signal::SIGKILL, None)] {
        let child = command(&node, &["--follow"]);
        sample_is(&node.dataplane, 1).await;
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let (ended_by, _, err) = ended(child).await;
        assert_eq!((ended_by, err.as_str()), (code, ""));
        sample_is(&node.dataplane, 0).await;
    }
    // A reader that goes away.
    let mut child = command(&node, &["--follow"]);
    sample_is(&node.dataplane, 1).await;
    let mut out = tokio::process::ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
    assert!(out.read_u8().await.is_ok());
    drop(out);
    eventually("it ends", async || {
        node.dataplane.memory().seen.push(seen("figlet", "b"));
        child.try_wait().unwrap().is_some_and(|status| status.success())
    })
    .await;
    sample_is(&node.dataplane, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connections_of_the_moment_are_told_the_youngest_first_and_as_many_as_asked_for() {
    let node = node().await;
    let flow = |function: &str, backend: &str, age_seconds| FlowView {
        function: function.to_owned(),
        peer: None,
        client: "203.0.113.7:40000".parse().unwrap(),
        listen: "192.0.2.1:8080".parse().unwrap(),
        backend: backend.to_owned(),
        gateway: None,
        server: None,
        state: "established".to_owned(),
        age_seconds,
        idle_seconds: 0.5,
        requests: 1,
        busy: true,
        bytes_to_backend: 0,
        bytes_to_client: 0,
        pinned: false,
        native: false,
        closed: None,
    };
    let flows = vec![flow("figlet", "b", 9.0), flow("qrcode", "local", 1.0), flow("figlet", "local", 3.0)];
    node.dataplane.memory().flows = flows;
    let (code, out, err) = ended(command(&node, &["--json", "--function", "figlet", "--limit", "1"])).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let report: FlowsReport = serde_json::from_str(&out).unwrap();
    assert_eq!((report.total, report.matching), (3, 2));
    assert_eq!(report.flows, [flow("figlet", "local", 3.0)]);
    let (_, out, _) = ended(command(&node, &["--peer", "b"])).await;
    assert!(out.lines().nth(1).unwrap().starts_with("figlet    203.0.113.7:40000  b "), "{out}");
    let (_, out, _) = ended(command(&node, &["--function", "nothing"])).await;
    assert_eq!(out, "no such connections, of 3 that the node has\n");
    let (code, _, err) = ended(command(&node, &["--sample", "2"])).await;
    assert!(code == Some(2) && err.contains("--follow"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_names_whose_the_plan_is_and_takes_any_name_and_client() {
    let node = node().await;
    let explain = async |arguments: &[&str]| ended(start(&node, "explain", arguments)).await;
    let (code, out, err) = explain(&["--function", "figlet", "--client", "[2001:db8::7]:40000"]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[1], "plan        b 100%");
    assert!(lines[2].starts_with("written by  strategy static, "), "{out}");
    let (_, out, _) = explain(&["--json", "--function", "a b&client=?", "--client", "192.0.2.7:1"]).await;
    let explanation: Explanation = serde_json::from_str(&out).unwrap();
    assert_eq!(explanation.function, "a b&client=?");
    assert_eq!(explanation.client, Some("192.0.2.7:1".parse().unwrap()));
    assert_eq!(explanation.steps.len(), 2, "nobody has planned that: {out}");
    node.dataplane.memory().broken = true;
    let (code, _, err) = explain(&["--function", "figlet"]).await;
    assert!(code == Some(1) && err.contains("told to fail"), "{err}");
    let (code, _, err) = explain(&["--function", "figlet", "--client", "nobody"]).await;
    assert!(code == Some(2) && err.contains("--client"), "{err}");
}
