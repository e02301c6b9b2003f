//! `dfaas record`: from a running agent to files that the simulator reads.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use dfaas_sim::trace::{Trace, read_recording};
use dfaas_userspace::dataplane::{Origin, Snapshot};
use dfaas_userspace::record::{Progress, Settings, Summary, record};
use tokio::sync::{mpsc, oneshot};

use crate::double::Double;
use crate::harness::Node;
use crate::scripted::Gateway;

/// A recording that goes on.
struct Recording {
    told: mpsc::UnboundedReceiver<Progress>,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<Summary, String>>,
}

fn settings(socket: &Path, folder: &Path) -> Settings {
    Settings {
        socket: socket.to_owned(),
        interval: Duration::from_millis(200),
        length: None,
        output: folder.join("recorded.toml"),
        force: false,
    }
}

impl Recording {
    fn start(settings: Settings) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let mut tell = |progress| drop(tell.send(progress));
            record(&settings, stopped, &mut tell).await.map_err(|error| error.to_string())
        });
        Self { told, stop, ended }
    }

    /// Waits for so many more readings that told something.
    async fn counted(&mut self, readings: usize) {
        let mut left = readings;
        while left > 0 {
            let told = self.told.recv().await.expect("the recording goes on");
            left -= usize::from(matches!(told, Progress::Counted { .. }));
        }
    }

    async fn troubled(&mut self) -> String {
        loop {
            if let Progress::Trouble(why) = self.told.recv().await.expect("the recording goes on") {
                return why;
            }
        }
    }

    async fn stop(self) -> Result<Summary, String> {
        // One that has ended already has nobody to stop.
        let _ = self.stop.send(());
        self.ended.await.expect("it does not panic")
    }
}

fn sum(trace: &Trace) -> f64 {
    trace.total().iter().sum()
}

fn trace(folder: &Path) -> Trace {
    let path = folder.join("recorded.csv");
    read_recording("recorded.csv", std::fs::File::open(path).unwrap(), None).unwrap()
}

#[tokio::test]
async fn what_users_ask_for_is_recorded_to_the_last_invocation_and_simulated_as_it_is() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.dataplane.count("figlet", Origin::User, "local", 1_000);
    let folder = tempfile::tempdir().unwrap();
    let mut recording = Recording::start(settings(&node.socket(), folder.path()));
    recording.counted(1).await;
    node.dataplane.count("figlet", Origin::User, "local", 60);
    node.dataplane.count("figlet", Origin::User, "b", 40);
    node.dataplane.count("figlet", Origin::User, "reject", 3);
    node.dataplane.count("figlet", Origin::Peer, "local", 7);
    recording.counted(3).await;
    let summary = recording.stop().await.unwrap();
    let figlet = &summary.functions["figlet"];
    assert_eq!(
        (figlet.arrivals, figlet.away, figlet.rejected, figlet.from_peers),
        (103.0, 40.0, 3.0, 7.0),
        "what came before the beginning is not in it"
    );
    let recorded = trace(folder.path());
    assert_eq!((sum(&recorded), recorded.intervals()), (103.0, summary.intervals));
    assert_eq!(recorded.nodes().into_iter().collect::<Vec<_>>(), ["a", "b"], "the static peer takes part");

    // Warm-up and a second are enough to see that it runs.
    let scenario = folder.path().join("recorded.toml");
    let output =
        Command::new(env!("CARGO_BIN_EXE_dfaas")).args(["sim", "run"]).arg(&scenario).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("lease"), "{out}{err}");
}

#[tokio::test]
async fn an_agent_that_goes_and_comes_back_is_a_gap_that_is_told() {
    let node = Node::start(&["figlet"]).await.ready().await;
    node.dataplane.count("figlet", Origin::User, "local", 50);
    let folder = tempfile::tempdir().unwrap();
    let mut recording = Recording::start(settings(&node.socket(), folder.path()));
    recording.counted(1).await;
    let (_, agent) = node.end(dfaas_userspace::agent::Exit::Leave).await;
    assert!(recording.troubled().await.contains("no agent answers at"));
    let next = Node::within(agent, Double::default(), Gateway::start(&["figlet"]).await, "").ready().await;
    // The new data plane counts from 0.
    next.dataplane.memory().snapshot = Snapshot::default();
    next.dataplane.count("figlet", Origin::User, "local", 5);
    recording.counted(2).await;
    let summary = recording.stop().await.unwrap();
    assert!(!summary.gaps.is_empty());
    assert!(summary.gaps[0].why.contains("no agent answers at"), "{:?}", summary.gaps);
    assert!(summary.functions["figlet"].arrivals <= 5.0, "nothing is made up");
}

#[tokio::test]
async fn a_recording_that_is_stopped_at_once_leaves_nothing() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { interval: Duration::from_secs(3600), ..settings(&node.socket(), folder.path()) };
    let mut recording = Recording::start(settings);
    assert!(matches!(recording.told.recv().await, Some(Progress::Begins(_))));
    let error = recording.stop().await.unwrap_err();
    assert!(error.contains("stopped before an interval was over"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_records_for_as_long_as_it_is_told_and_says_what_it_wrote() {
    let node = Node::start(&["figlet"]).await.ready().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = node.socket();
    let record = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dfaas"));
        command.current_dir(folder.path()).args(["record", "--for", "1s", "--interval", "200ms", "--socket"]);
        let output = command.arg(&socket).args(more).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = record(&[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.starts_with("a: 1s in 5 intervals of 0.2 s\n") && out.contains("wrote recorded.toml\n"),
        "{out}"
    );
    assert_eq!(trace(folder.path()).intervals(), 5);
    let (code, _, err) = record(&[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("recorded.csv: there already"), "{err}");
    let (code, out, _) = record(&["--force", "--json"]);
    let summary: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, summary["intervals"].as_u64()), (Some(0), Some(5)));
    assert_eq!(record(&["--interval", "1ms", "-o", "x"]).0, Some(2));
}
