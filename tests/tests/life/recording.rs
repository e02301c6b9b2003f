//! Recordings of whole nodes, from the kernel's counters to a run of the simulator.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dfaas_tests::load::{self, Load};
use dfaas_tests::settings::{Function, node_name};
use dfaas_tests::{Node, Process};
use nix::sys::signal::Signal;

use crate::federation::{Federation, PATIENCE, eventually};

/// `dfaas record` on a node, once an interval is over.
struct Recording {
    process: Process,
    scenario: PathBuf,
}

impl Recording {
    fn start(federation: &Federation, node: &Node) -> Self {
        let scenario = federation.lab.folder().join(format!("{}.toml", node.name()));
        let (socket, output) = (node.admin_socket(), scenario.display().to_string());
        let args = ["record", "--interval", "500ms", "-o", &output, "--socket", &*socket.to_string_lossy()];
        let process = node.start_dfaas("record", &args).unwrap();
        eventually("an interval is over", || process.output().contains(" peers\n").then_some(()));
        Self { process, scenario }
    }

    /// The trace, complete or not.
    fn trace(&self) -> PathBuf {
        let (whole, part) = (self.scenario.with_extension("csv"), self.scenario.with_extension("csv.part"));
        if whole.exists() { whole } else { part }
    }

    /// Waits until so many arrivals are recorded.
    fn has(&self, arrivals: f64) {
        eventually(&format!("{arrivals} arrivals are recorded"), || {
            ((sum(&self.trace(), "arrivals") - arrivals).abs() < 1e-6).then_some(())
        });
    }

    /// Ends it as Ctrl-C does; what it says.
    fn end(&mut self) -> String {
        self.process.signal(Signal::SIGINT).unwrap();
        let ended = self.process.wait(PATIENCE).unwrap();
        assert!(ended.is_some_and(|status| status.success()), "{}", self.process.output());
        self.process.output()
    }
}

/// The sum of a column.
fn sum(table: &Path, column: &str) -> f64 {
    let text = std::fs::read_to_string(table).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let at = lines.next().unwrap().iter().position(|name| *name == column).unwrap();
    // The last line may be half written.
    lines.filter_map(|cells| cells.get(at)?.parse::<f64>().ok()).sum()
}

fn says(node: &Node, args: &[&str]) -> String {
    let (status, said) = node.dfaas(args, Duration::from_secs(60)).unwrap();
    assert!(status.success(), "{args:?}: {said}");
    said
}

#[test]
fn a_known_load_is_recorded_to_the_last_invocation_and_recordings_of_two_nodes_are_simulated_together() {
    let federation = Federation::start(2, &[("echo", Function::echo())]);
    let (one, two) = (&federation.nodes[0], &federation.nodes[1]);
    let mut recordings: Vec<_> =
        federation.nodes.iter().map(|node| Recording::start(&federation, node)).collect();
    let load = Load::new(one.address(), "echo", 20.0, Duration::from_secs(3));
    let report = load::start(&federation.lab.users(1), load).unwrap().finish().unwrap();
    assert_eq!(report.total().ok, 60, "{:?}", report.reasons());
    recordings[0].has(60.0);
    let said = recordings[0].end();
    assert!(said.contains("no gaps") && said.contains(&format!("peer {}", node_name(2))), "{said}");
    let away = sum(&recordings[0].trace(), "away");
    assert!((27.0..=33.0).contains(&away), "about half of them: {away}");
    eventually("the peer has seen these", || {
        (sum(&recordings[1].trace(), "from_peers") == away).then_some(())
    });
    recordings[1].end();
    assert_eq!(sum(&recordings[1].trace(), "arrivals"), 0.0, "they are no users of its own");

    let path = |path: PathBuf| path.display().to_string();
    let all = path(federation.lab.folder().join("all.csv"));
    let traces = recordings.iter().map(|recording| path(recording.trace()));
    let traces: Vec<String> = traces.collect();
    says(two, &["sim", "trace", "merge", &traces[0], &traces[1], "-o", &all]);
    assert_eq!(sum(Path::new(&all), "arrivals"), 60.0);
    let scenario = std::fs::read_to_string(&recordings[0].scenario).unwrap();
    let merged = path(federation.lab.folder().join("all.toml"));
    std::fs::write(&merged, scenario.replace("node-1.csv", "all.csv")).unwrap();
    let said = says(two, &["sim", "run", &merged, "--techniques", "static"]);
    assert!(said.lines().any(|line| line.starts_with("static")), "{said}");
}

#[test]
fn what_users_ask_for_while_the_agent_is_dead_is_counted_and_told_as_a_gap() {
    let mut federation = Federation::start(1, &[("echo", Function::echo())]);
    let mut recording = Recording::start(&federation, &federation.nodes[0]);
    federation.served_times("echo", 5);
    recording.has(5.0);
    federation.first().kill_agent().unwrap();
    eventually("it notices", || recording.process.output().contains("asked again").then_some(()));
    federation.served_times("echo", 7);
    federation.first().start_agent().unwrap();
    recording.has(12.0);
    let said = recording.end();
    let gap = said.lines().find(|line| line.starts_with("gap of ")).unwrap_or_else(|| panic!("{said}"));
    assert!(gap.contains("no agent answers at") && gap.contains("the agent was started again"), "{gap}");
    assert!(gap.ends_with("what was counted is divided evenly over it"), "{gap}");
}
