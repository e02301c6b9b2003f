//! From the files that the user names to a scenario.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use dfaas_sim::Scenario;
use dfaas_sim::network::RttMatrix;
use dfaas_sim::random::{Stream, stream};
use dfaas_sim::scenario::{Function, Load, Network, Nodes, Piece};
use dfaas_sim::trace::{Assignment, SeriesKey, Trace};

use super::options::Options;

/// A scenario and what is to be said of how it was made.
pub struct Input {
    /// Name of the file that it is from.
    pub name: String,
    /// What is run.
    pub scenario: Scenario,
    /// Names of the nodes, where the trace gives them.
    pub nodes: Vec<String>,
    /// What the user may not expect.
    pub notes: Vec<String>,
}

/// Reads what the options name.
///
/// # Errors
/// The file and place, or the option, that is wrong.
pub fn read(options: &Options) -> Result<Input> {
    let mut notes = Vec::new();
    let (name, mut scenario, nodes) = match (&options.scenario, &options.trace) {
        (Some(file), _) => {
            let name = file.display().to_string();
            let scenario = Scenario::read(file).with_context(|| name.clone())?;
            let nodes = (0..scenario.nodes.count).map(|node| node.to_string()).collect();
            (name, scenario, nodes)
        }
        (None, Some(file)) => {
            let (trace, nodes) = trace(options, file, &mut notes)?;
            (file.display().to_string(), made(options, &trace, &nodes)?, nodes)
        }
        (None, None) => bail!("--trace or --scenario must say what users ask for"),
    };
    if let Some(file) = &options.rtt {
        let count = scenario.nodes.count;
        scenario.network.rtts_ms = round_trips(options, file, count)?;
    }
    if let Some(seconds) = options.seconds {
        scenario.duration = Duration::from_secs(seconds);
    }
    // What the options made of it is checked as a file is.
    let scenario = Scenario::parse(&scenario.to_toml()).context("the options make no scenario")?;
    Ok(Input { name, scenario, nodes, notes })
}

/// The trace as it is to pass, and its nodes.
fn trace(options: &Options, file: &Path, notes: &mut Vec<String>) -> Result<(Trace, Vec<String>)> {
    let mut trace = options.source.read(file)?;
    if options.start > 0.0 {
        let from = trace.start() + options.start;
        trace = trace.slice(from, f64::INFINITY).with_context(|| format!("--start {}", options.start))?;
    }
    if trace.nodes().is_empty() {
        let count =
            options.nodes.context("--nodes: the trace has none, so it must be said how many there are")?;
        let nodes: Vec<String> = (1..=count).map(|node| format!("node-{node:02}")).collect();
        trace = trace.assign(&nodes, Assignment::Divided, &mut stream(options.seed, Stream::Setup))?;
        notes.push(format!(
            "the trace has no nodes: each function is divided among {count}, in parts drawn from the seed"
        ));
    }
    let all: Vec<String> = trace.nodes().into_iter().map(str::to_owned).collect();
    let count = options.nodes.unwrap_or(all.len());
    let nodes: Vec<String> = all.iter().take(count).cloned().collect();
    if nodes.len() < all.len() {
        notes.push(format!("of the trace's {} nodes {} take part", all.len(), nodes.join(", ")));
        trace = among(&trace, &nodes)?;
    } else if nodes.len() < count {
        notes.push(format!("the trace has {} nodes: the others have no users", nodes.len()));
    }
    trace = trace.rescale_time(1.0 / options.speed)?.rescale_rate(options.rate)?;
    Ok((trace, nodes))
}

/// The requests at these nodes.
fn among(trace: &Trace, nodes: &[String]) -> Result<Trace> {
    let mut part = Trace::new(trace.start(), trace.interval(), trace.intervals())?;
    for (key, counts) in trace.series() {
        if key.node.as_ref().is_some_and(|node| nodes.contains(node)) {
            part.add(SeriesKey::clone(key), counts)?;
        }
    }
    Ok(part)
}

/// The scenario of a trace.
fn made(options: &Options, trace: &Trace, nodes: &[String]) -> Result<Scenario> {
    let count = options.nodes.unwrap_or(nodes.len());
    let names = trace.functions();
    ensure!(!names.is_empty(), "nobody at these nodes calls anything");
    let function = |name: &str| Function {
        cv: 0.0,
        deadline: Options::duration(options.deadline_ms),
        ..Function::new(name, Options::duration(options.cpu_ms))
    };
    let mut rates = Vec::new();
    for (key, counts) in trace.series() {
        let place = nodes.iter().position(|node| Some(node) == key.node.as_ref());
        let place = place.with_context(|| format!("function \"{}\" is at no node", key.function))?;
        rates.extend(Piece::of_series(place, &key.function, counts, trace.interval()));
    }
    Ok(Scenario {
        warmup: Duration::from_secs(options.warmup),
        duration: Duration::from_secs_f64(trace.duration()),
        period: Duration::from_secs(1),
        nodes: Nodes {
            patience: Some(0.9),
            label_rates: Some(1.0),
            ..Nodes::new(options.cores.iter().copied().cycle().take(count).collect())
        },
        network: Network { everybody: true, ..Network::default() },
        functions: names.into_iter().map(function).collect(),
        catalogue: None,
        load: Load { utilisation: options.utilisation.unwrap_or(0.0), rates, ..Load::default() },
        failures: Vec::new(),
    })
}

/// Round-trip times (ms) among the first `count` nodes of a file.
fn round_trips(options: &Options, file: &Path, count: usize) -> Result<Vec<Vec<f64>>> {
    let name = file.display().to_string();
    let reader = BufReader::new(File::open(file).with_context(|| name.clone())?);
    let ends = |end: &str| file.extension().is_some_and(|found| found == end);
    let matrix = if ends("json") {
        dfaas_sim::network::Network::read(&name, reader)?.rtt().clone()
    } else {
        let unit = options
            .rtt_unit
            .with_context(|| format!("--rtt-unit: {name} does not say in what it is (s, ms, us)"))?;
        let delimiter = if ends("csv") { b',' } else { b'\t' };
        RttMatrix::read(&name, reader, unit.into(), delimiter)?
    };
    ensure!(
        matrix.len() >= count,
        "{name}: round-trip times between {} nodes, and there are {count}",
        matrix.len()
    );
    let matrix = matrix.among(&(0..count).collect::<Vec<_>>())?;
    Ok(matrix.rows().map(|row| row.iter().map(|seconds| seconds * 1e3).collect()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn scenarios(file: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/scenarios").join(file)
    }

    fn input(line: &str) -> Result<Input> {
        let line = line.replace('@', &format!("{}/", scenarios("").display()));
        let options = Line::try_parse_from(std::iter::once("load").chain(line.split_whitespace()))?.options;
        options.check()?;
        read(&options)
    }

    fn error(line: &str) -> String {
        format!("{:#}", input(line).err().unwrap_or_else(|| panic!("{line} was taken")))
    }

    #[test]
    fn a_trace_becomes_a_scenario_of_its_first_nodes() {
        let line =
            "--trace @data/azure-like.csv --nodes 5 --rtt @data/rtt-100-ms.tsv --rtt-unit ms --speed 6";
        let input = input(line).unwrap();
        let scenario = &input.scenario;
        assert_eq!((scenario.nodes.count, &scenario.nodes.cores[..]), (5, &[2, 4, 6, 2, 4][..]));
        assert_eq!(scenario.duration, Duration::from_secs(300), "half an hour, six times as fast");
        assert_eq!((scenario.network.rtts_ms.len(), scenario.network.rtts_ms[0][1]), (5, 10.15));
        assert_eq!(input.nodes.join(" "), "node-01 node-02 node-03 node-04 node-05");
        assert_eq!(input.notes.len(), 1, "{:?}", input.notes);
        // In the first minute the first node has 38 requests for this function.
        let rate =
            scenario.load.rates.iter().find(|piece| piece.node == 0 && piece.function == "function-001");
        assert!((rate.unwrap().rate - 38.0 / 10.0).abs() < 1e-9, "{rate:?}");
    }

    #[test]
    fn a_scenario_is_taken_as_it_is_but_for_what_options_say() {
        let input = input("--scenario @demo.toml --seconds 7").unwrap();
        assert_eq!((input.scenario.duration, input.scenario.nodes.count), (Duration::from_secs(7), 3));
        assert!(input.notes.is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        assert!(error("--trace @data/azure-like.csv --nodes 40").starts_with("--nodes 40: from 1 to 17"));
        assert!(error("--trace @data/azure-like.csv --rtt @data/rtt-100-ms.tsv").starts_with("--rtt-unit: "));
        assert!(error("--trace @none.csv").contains("none.csv: No such file"));
        assert!(error("--trace @data/azure-like.csv --speed 0").starts_with("--speed 0: above 0"));
        assert!(error("--trace @data/azure-like.csv --start 9999").starts_with("--start 9999"));
        assert!(error("--trace @demo.toml").contains("demo.toml"));
        assert!(error("").contains("--trace"));
        for option in ["--nodes 2", "--cores 4", "--speed 2", "--warmup 1", "--rate 2", "--start 9"] {
            let error = error(&format!("--scenario @demo.toml {option}"));
            assert!(error.contains("cannot be used with"), "{option}: {error}");
        }
        assert!(
            error("--scenario @demo.toml --strategy lease,lease")
                .starts_with("--strategy lease: given twice")
        );
    }
}
