//! Strategies side by side: `cargo run --release -p dfaas-sim --example compare -- deploy/scenarios/a.toml alllocal,lease
//! 1,2,3`. How fast that is, the example `run_speed` measures.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use dfaas_sim::{Row, Scenario, compare};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, techniques, seeds] = &arguments[..] else {
        eprintln!("usage: compare FILE STRATEGIES SEEDS, the last two as lists with commas");
        return ExitCode::from(2);
    };
    match show(Path::new(file), techniques, seeds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn show(file: &Path, techniques: &str, seeds: &str) -> Result<(), Box<dyn std::error::Error>> {
    let scenario = Scenario::read(file)?;
    let seeds: Vec<u64> = seeds.split(',').map(str::parse).collect::<Result<_, _>>()?;
    println!("strategy   seed  goodput   work   p50 ms  p99 ms   fwd  overfl   harm   B/s  settle  ends");
    for technique in techniques.split(',') {
        let begun = Instant::now();
        for row in compare(&scenario, &[technique], &seeds)? {
            line(&row);
        }
        println!("{:.2} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn line(row: &Row) {
    let o = &row.outcome;
    println!(
        "{:10} {:4}  {:.4}  {:.4} {:8.1} {:7.1} {:.4} {:.4} {:7.4} {:5.0} {:>6}  {:?}",
        row.technique,
        row.seed,
        o.goodput,
        o.work,
        o.p50,
        o.p99,
        o.forwarded,
        o.overflowed,
        row.harm,
        o.control_bytes_per_node_s,
        o.settle_s.map_or("-".to_owned(), |s| s.to_string()),
        o.ends,
    );
}
