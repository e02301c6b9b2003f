//! What is typed after `dfaas sim`, from the arguments to the files.

use std::path::PathBuf;

use clap::Parser;
use dfaas_sim::cli::{CommandError, Generate, TraceCommand, generate, trace};
use tempfile::TempDir;

#[derive(Debug, Parser)]
enum Sim {
    #[command(subcommand)]
    Trace(TraceCommand),
    #[command(subcommand)]
    Generate(Generate),
}

/// A folder in which commands run.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect(name);
    }

    fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect(name)
    }

    /// Runs a command whose words with a dot are files here.
    fn run(&self, line: &str) -> Result<String, CommandError> {
        let word = |word: &str| {
            let file = word.ends_with(".csv") || word.ends_with(".json") || word.ends_with(".tsv");
            if file { self.path(word).display().to_string() } else { word.to_owned() }
        };
        match Sim::try_parse_from(std::iter::once("sim".to_owned()).chain(line.split(' ').map(word))) {
            Ok(Sim::Trace(command)) => trace(&command),
            Ok(Sim::Generate(command)) => generate(&command),
            Err(error) => Err(CommandError::Usage(error.to_string())),
        }
    }
}

const RECORDING: &str = "time_s,node,function,arrivals\n0,a,f,60\n60,a,f,120\n120,a,f,0\n0,b,f,60\n";

#[test]
fn info_prints_figures_and_functions_and_the_same_in_json() {
    let desk = Desk::new();
    desk.put("r.csv", RECORDING);
    let text = desk.run("trace info r.csv").unwrap();
    assert!(text.contains("requests                240\n"), "{text}");
    assert!(text.contains("length                  3 intervals of 60 s\n"), "{text}");
    assert!(text.ends_with("FUNCTION  REQUESTS    SHARE  PEAK/S  DISPERSION\nf              240  100.0 %       2          40\n"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&desk.run("trace info r.csv --json").unwrap()).unwrap();
    assert_eq!((&json["total"], &json["functions"][0]["function"]), (&240.0.into(), &"f".into()));
}

#[test]
fn a_recording_becomes_a_k6_trace_and_comes_back() {
    let desk = Desk::new();
    desk.put("r.csv", RECORDING);
    desk.run("trace convert r.csv --output k.json").unwrap();
    assert_eq!(desk.get("k.json"), r#"{"f":{"a":[1.0,2.0,0.0],"b":[1.0,0.0,0.0]}}"#);
    let back = desk.run("trace convert k.json").unwrap();
    assert_eq!(back.lines().nth(3), Some("60,a,f,120,60"), "{back}");
}

#[test]
fn traces_are_rescaled_shifted_merged_and_cut() {
    let desk = Desk::new();
    desk.put("r.csv", RECORDING);
    desk.run("trace rescale r.csv --time 0.5 --rate 2 -o twice.csv").unwrap();
    assert!(desk.get("twice.csv").contains("\n30,a,f,240,30\n"), "{}", desk.get("twice.csv"));
    desk.run("trace shift r.csv --seconds 60 -o late.csv").unwrap();
    desk.run("trace merge r.csv late.csv -o both.csv").unwrap();
    assert!(desk.get("both.csv").contains("\n60,a,f,180,60\n"), "{}", desk.get("both.csv"));
    let cut = desk.run("trace slice both.csv --start 60 --end 120").unwrap();
    assert_eq!(cut, "time_s,node,function,arrivals,interval_s\n60,a,f,180,60\n60,b,f,60,60\n");
    let rotated = desk.run("trace shift r.csv --rotate -1 --node a").unwrap();
    assert!(rotated.contains("\n0,a,f,120,60\n0,b,f,60,60\n"), "{rotated}");
    let staggered = desk.run("trace shift r.csv --stagger").unwrap();
    assert!(staggered.contains("\n120,a,f,0,60\n120,b,f,60,60\n"), "{staggered}");
}

#[test]
fn what_has_no_meaning_is_usage_and_what_is_not_there_is_failure() {
    let desk = Desk::new();
    desk.put("r.csv", RECORDING);
    desk.put("bad.csv", "time_s,node,function,arrivals\n0,a,f,many\n");
    for line in [
        "trace rescale r.csv",
        "trace rescale r.csv --time 0",
        "trace rescale r.csv --rate 2 --mean 3",
        "trace shift r.csv",
        "trace shift r.csv --rotate 1 --node c",
        "trace slice r.csv --start 500",
        "trace convert r.csv --to azure",
        "trace convert r.csv --interval 0",
        "trace convert r.csv --assign 9-3",
        "generate network erdos-renyi --probability 2",
        "generate network geometric --rtt m.tsv",
        "generate trace --memory 1",
        "generate trace --functions 10000000 --intervals 10000000",
        "generate load linear --nodes 100000 --steps 10000000",
        "generate load linear --steps 18446744073709551615",
        "generate network mesh --nodes 0",
        "generate network mesh --nodes 100000",
    ] {
        let error = desk.run(line).unwrap_err();
        assert!(matches!(error, CommandError::Usage(_)), "{line}: {error:?}");
    }
    let error = desk.run("trace info bad.csv").unwrap_err();
    let place =
        format!("{}, line 2, column 4: arrivals is \"many\", not a number", desk.path("bad.csv").display());
    assert_eq!(error, CommandError::Failed(place));
    assert!(matches!(desk.run("trace info none.csv"), Err(CommandError::Failed(_))));
    assert!(matches!(desk.run("trace convert r.csv -o none/r.csv"), Err(CommandError::Failed(_))));
}

#[test]
fn the_same_seed_generates_the_same_files_and_another_one_others() {
    let desk = Desk::new();
    for what in [
        "trace --intervals 20",
        "load sinusoidal --steps 30",
        "load triangular",
        "network erdos-renyi --connect reject --nodes 5 --probability 0.6",
        "network geometric --connect bridge",
        "network near --nodes 30 --exact",
    ] {
        let made = |seed| desk.run(&format!("generate {what} --seed {seed}")).unwrap();
        assert_eq!(made(7), made(7), "{what}");
        assert_ne!(made(7), made(8), "{what}");
    }
}

#[test]
fn a_network_is_made_from_measured_times_and_given_kinds_of_nodes() {
    let desk = Desk::new();
    desk.put("m.tsv", "0\t20\t30\n20\t0\t10\n30\t10\t0\n");
    let classes = "--classes small:1:1,big:1:64 --exact";
    let text = desk
        .run(&format!("generate network mesh --rtt m.tsv --rtt-unit ms --nodes 2 {classes} -o n.json"))
        .unwrap();
    let last: Vec<&str> = text.lines().last().unwrap_or_default().split_whitespace().collect();
    assert_eq!(last, ["pair", "RTT,", "ms", "20", "20", "20", "20", "20"], "{text}");
    let network = dfaas_sim::network::Network::read("n.json", desk.get("n.json").as_bytes()).unwrap();
    assert_eq!((network.nodes().len(), network.rtt().get(0, 1)), (2, 0.02));
    assert_eq!(network.nodes().iter().map(|node| node.cores).sum::<u32>(), 65);
}
