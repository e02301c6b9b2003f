//! How many requests the simulator runs in a second of one processor's time, and with how much memory:
//!
//! `cargo run --release -p dfaas-sim --example run_speed -- deploy/scenarios/a.toml lease 1-3`
//!
//! The last column is a fingerprint of all that came out of a run. A change that is only to make runs faster leaves it as
//! it is.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use dfaas_control::fnv1a;
use dfaas_sim::cli::Seeds;
use dfaas_sim::{Federation, Outcome, Scenario, run_in};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, techniques, seeds] = &arguments[..] else {
        eprintln!(
            "usage: run_speed FILE TECHNIQUES SEEDS, techniques with commas between them, seeds as 1-3 or 1,7"
        );
        return ExitCode::from(2);
    };
    match measure(Path::new(file), techniques, seeds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(file: &Path, techniques: &str, seeds: &str) -> Result<(), Box<dyn std::error::Error>> {
    let scenario = Scenario::read(file)?;
    let seeds: Seeds = seeds.parse()?;
    println!("technique        seed  requests  seconds  requests/s  peak MB  goodput  outcome");
    for technique in techniques.split(',') {
        for seed in &seeds.0 {
            let federation = Federation::new(&scenario, *seed);
            let clock = Clock::start();
            let outcome = run_in(&scenario, &federation, technique, *seed)?;
            let seconds = clock.seconds();
            let requests = in_all(&scenario, &outcome);
            let fingerprint = fnv1a(&serde_json::to_vec(&outcome)?);
            let (rate, memory) = (requests / seconds, peak_megabytes());
            println!(
                "{technique:16} {seed:4}  {requests:8.0}  {seconds:7.2}  {rate:10.0}  {memory:>7}   {:.4}  {fingerprint:016x}",
                outcome.goodput,
            );
        }
    }
    Ok(())
}

/// Requests of the warm-up too, which an outcome does not count: as many in a second as afterwards.
fn in_all(scenario: &Scenario, outcome: &Outcome) -> f64 {
    let (warmup, duration) = (scenario.warmup.as_secs_f64(), scenario.duration.as_secs_f64());
    outcome.requests as f64 * (warmup + duration) / duration
}

/// Time of the processor that this thread uses, which other programs on the machine do not lengthen; time on the wall where
/// the kernel does not tell it.
struct Clock {
    processor: Option<u64>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { processor: processor_nanoseconds(), wall: Instant::now() }
    }

    fn seconds(&self) -> f64 {
        let used = self.processor.zip(processor_nanoseconds()).map(|(then, now)| (now - then) as f64 / 1e9);
        used.unwrap_or_else(|| self.wall.elapsed().as_secs_f64())
    }
}

fn processor_nanoseconds() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// The most memory that this program has had so far.
fn peak_megabytes() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.map_or_else(|| "-".to_owned(), |kilobytes| (kilobytes / 1024).to_string())
}
