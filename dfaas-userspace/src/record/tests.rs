use std::time::Duration;

use dfaas_sim::Scenario;
use dfaas_sim::trace::{SeriesKey, read_recording};
use proptest::prelude::*;

use super::files::Paths;
use super::*;
use crate::agent::{FunctionCounters, MeasuredReport, PeerSeen};

fn peer(name: &str, usable: bool, rtt_ms: Option<f64>) -> PeerSeen {
    PeerSeen { name: name.to_owned(), usable, rtt_ms }
}

/// A reading of node `m` with peers on both sides of its name, and one function whose users' counters are these.
fn reading(pid: u32, here: u64, away: u64, rejected: u64) -> MeasuredReport {
    MeasuredReport {
        node: "m".to_owned(),
        pid,
        strategy: "lease".to_owned(),
        period_seconds: 1.0,
        cores: Some(4.0),
        busy_seconds: Some(here as f64 * 0.05),
        memory_free: Some(3 << 30),
        memory_total: Some(4 << 30),
        functions: vec![FunctionCounters {
            name: "ocr".to_owned(),
            here: true,
            replicas: Some(2),
            max_rate: Some(30.0),
            timeout_ms: Some(500),
            users_here: here,
            users_away: away,
            users_rejected: rejected,
            first_bytes: here,
            first_byte_seconds: here as f64 * 0.06,
            ..FunctionCounters::default()
        }],
        peers: vec![peer("a", true, Some(4.0)), peer("gone", false, Some(9.0)), peer("z", true, Some(10.0))],
    }
}

/// With what gateway and cgroup tell of `done` completions.
fn told(mut report: MeasuredReport, done: u64, cpu: f64) -> MeasuredReport {
    let function = &mut report.functions[0];
    function.completed = Some(done);
    function.completed_seconds = Some(done as f64 * 0.05);
    function.cpu_seconds = Some(cpu);
    report
}

fn tally() -> Tally {
    let mut tally = Tally::new(1000.0, 1.0).unwrap();
    assert_eq!(tally.take(1000.0, reading(1, 100, 20, 5), None), None);
    tally
}

#[test]
fn arrivals_are_what_users_asked_for_whatever_became_of_it() {
    let mut tally = tally();
    let step = tally.take(1001.0, reading(1, 107, 22, 6), None).unwrap();
    assert_eq!((step.grown.start, step.grown.intervals), (1000.0, 1));
    let ocr = &tally.functions()["ocr"];
    assert_eq!((ocr.arrivals(), ocr.here, ocr.away, ocr.rejected), (10.0, 7.0, 2.0, 1.0));
    assert!(step.cores_used.is_some_and(|used| (used - 0.35).abs() < 1e-9), "{:?}", step.cores_used);
    assert_eq!((step.news.len(), step.joined.as_slice()), (3, ["a".to_owned(), "z".to_owned()].as_slice()));
    let next = tally.take(1002.0, reading(1, 107, 22, 6), None).unwrap();
    assert!(next.news.is_empty() && next.joined.is_empty(), "peers are as they were");
    let ocr = &tally.functions()["ocr"];
    assert_eq!(ocr.arrivals(), 10.0);
    assert!(tally.gaps().is_empty() && tally.notes().is_empty());
}

#[test]
fn a_time_without_answers_is_a_gap_with_its_reason() {
    let mut tally = tally();
    let step = tally.take(1004.0, reading(2, 108, 20, 5), Some("no agent answers")).unwrap();
    assert_eq!(step.grown.counts[&("ocr".to_owned(), What::Here)], 2.0);
    let gap = &tally.gaps()[0];
    assert_eq!((gap.start, gap.seconds, gap.known), (1000.0, 4.0, "divided"));
    let why = "no agent answers; the agent was started again; what was counted is divided evenly over it";
    assert_eq!(gap.why, why);
}

#[test]
fn counters_that_began_anew_are_told_and_not_made_up() {
    let mut tally = tally();
    tally.take(1001.0, reading(2, 3, 0, 0), None).unwrap();
    assert_eq!(tally.functions()["ocr"].arrivals(), 3.0);
    let gap = &tally.gaps()[0];
    assert_eq!(gap.known, "at_least");
    assert!(gap.why.ends_with("what came before that in this time is lost"), "{}", gap.why);
}

#[test]
fn an_agent_that_was_started_again_in_time_is_no_gap() {
    let mut tally = tally();
    tally.take(1001.0, reading(1, 101, 20, 5), None).unwrap();
    tally.take(1002.0, reading(2, 103, 20, 5), None).unwrap();
    assert!(tally.gaps().is_empty());
    assert_eq!(tally.notes(), ["the agent was started again 1 s after the beginning; its counters went on"]);
}

#[test]
fn what_an_invocation_takes_is_the_best_that_is_measured() {
    let cost = |readings: Vec<MeasuredReport>| {
        let mut tally = tally();
        for (second, reading) in (1_u32..).zip(readings) {
            tally.take(1000.0 + f64::from(second), reading, None);
        }
        tally.functions()["ocr"].cost()
    };
    let near = |cost: Cost, seconds: f64, by: &str| match cost {
        Cost::Cgroup(found, _) => by == "cgroup" && (found - seconds).abs() < 1e-9,
        Cost::Gateway(found) => by == "gateway" && (found - seconds).abs() < 1e-9,
        Cost::FirstByte(found) => by == "first_byte" && (found - seconds).abs() < 1e-9,
        Cost::Unknown => by == "unknown",
    };
    assert!(near(cost(vec![reading(1, 100, 90, 5)]), 0.0, "unknown"));
    assert!(near(cost(vec![reading(1, 110, 20, 5)]), 0.06, "first_byte"));
    let few = vec![told(reading(1, 101, 20, 5), 10, 1.0), told(reading(1, 102, 20, 5), 12, 1.1)];
    assert!(near(cost(few), 0.05, "gateway"), "two invocations say nothing of processor time");
    let enough = vec![told(reading(1, 101, 20, 5), 10, 1.0), told(reading(1, 110, 20, 5), 20, 1.4)];
    assert!(near(cost(enough), 0.04, "cgroup"));
}

#[test]
fn a_recording_is_read_back_as_a_scenario_of_the_nodes_view() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::of(&folder.path().join("recorded.toml"));
    let mut files = Files::create(paths.clone(), 1.0, false).unwrap();
    let mut tally = Tally::new(1000.0, 1.0).unwrap();
    let first = MeasuredReport { peers: vec![peer("a", false, None)], ..reading(1, 100, 20, 5) };
    tally.take(1000.0, first, None);
    for (time, here) in [(1001.0, 105), (1002.0, 105), (1004.0, 115)] {
        let report = reading(1, here, 20, 5);
        let step = tally.take(time, report.clone(), None).unwrap();
        files.write(&step, &report).unwrap();
    }
    assert!(!paths.trace.exists(), "not complete yet");
    files.finish().unwrap();
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();

    let trace = read_recording("t", read(&paths.trace).as_bytes(), None).unwrap();
    assert_eq!((trace.start(), trace.interval(), trace.intervals()), (1000.0, 1.0, 4));
    let ocr = trace.counts(&SeriesKey::at("m", "ocr")).unwrap();
    assert_eq!(ocr, [5.0, 0.0, 5.0, 5.0]);
    assert_eq!(trace.nodes().into_iter().collect::<Vec<_>>(), ["a", "m", "z"]);
    let knowns: Vec<_> =
        read(&paths.trace).lines().filter(|line| line.ends_with("divided")).map(str::to_owned).collect();
    assert_eq!(knowns.len(), 2);
    assert_eq!(
        read(&paths.peers).lines().collect::<Vec<_>>(),
        ["time_s,node,peer,usable,rtt_ms", "1000,m,a,true,4", "1000,m,gone,false,9", "1000,m,z,true,10"]
    );
    assert_eq!(read(&paths.node).lines().nth(1), Some("1000,1,m,4,0.25,1073741824,4294967296"));

    let view = view(&tally, std::path::Path::new("recorded.csv")).unwrap();
    std::fs::write(&paths.scenario, view.scenario.to_toml()).unwrap();
    let scenario = Scenario::read(&paths.scenario).unwrap();
    assert_eq!(scenario.duration, Duration::from_secs(4));
    assert_eq!((scenario.nodes.count, scenario.nodes.cores.as_slice()), (3, [4, 4, 4].as_slice()));
    assert_eq!(scenario.network.links, [(1, 0), (1, 2)], "a, m and z, of which m is this one");
    assert_eq!(scenario.network.rtts_ms, [[0.0, 4.0, 14.0], [4.0, 0.0, 10.0], [14.0, 10.0, 0.0]]);
    let ocr = &scenario.functions[0];
    assert_eq!(
        (ocr.cpu, ocr.deadline, ocr.max_rate),
        (Duration::from_millis(60), Duration::from_millis(500), Some(30.0))
    );
    assert!(scenario.load.rates.iter().all(|piece| piece.node == 1 || piece.rate == 0.0));
    assert_eq!(scenario.load.rates.iter().find(|piece| piece.rate > 0.0).unwrap().rate, 5.0);
}

#[test]
fn files_that_are_there_are_kept_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::of(&folder.path().join("recorded"));
    Files::create(paths.clone(), 1.0, false).unwrap().finish().unwrap();
    let error = Files::create(paths.clone(), 1.0, false).unwrap_err().to_string();
    assert!(error.contains("recorded.csv: there already") && error.contains("--force"), "{error}");
    let second = Files::create(paths.clone(), 1.0, true).unwrap();
    let error = Files::create(Paths::of(&folder.path().join("other")), 1.0, false).map(drop);
    assert!(error.is_ok());
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    second.discard();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), left - 3, "the parts are removed");
}

#[test]
fn two_recordings_do_not_write_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::of(&folder.path().join("recorded"));
    let _first = Files::create(paths.clone(), 1.0, false).unwrap();
    let error = Files::create(paths, 1.0, false).unwrap_err().to_string();
    assert!(error.contains("recorded.csv.part: there already"), "{error}");
}

proptest! {
    #[test]
    fn whatever_is_read_the_scenario_is_one_that_is_simulated(
        readings in prop::collection::vec((0.0..3.0_f64, 0..500_u64, 0..500_u64, 1..3_u32, any::<Option<f64>>()), 2..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::of(&folder.path().join("r"));
        let mut files = Files::create(paths.clone(), 1.0, false).unwrap();
        let mut tally = Tally::new(0.0, 1.0).unwrap();
        let mut time = 0.0;
        for (passed, here, away, pid, odd) in readings {
            time += passed;
            let mut report = told(reading(pid, here, away, 0), here, odd.unwrap_or(1.0));
            (report.cores, report.peers[2].rtt_ms) = (odd, odd);
            (report.functions[0].max_rate, report.functions[0].completed_seconds) = (odd.filter(|rate| *rate > 0.0), odd);
            if let Some(step) = tally.take(time, report.clone(), None) {
                files.write(&step, &report).unwrap();
            }
        }
        prop_assume!(tally.counted().is_some());
        files.finish().unwrap();
        let view = view(&tally, std::path::Path::new("r.csv")).unwrap();
        std::fs::write(&paths.scenario, view.scenario.to_toml()).unwrap();
        Scenario::read(&paths.scenario).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
