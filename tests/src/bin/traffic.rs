//! Server and caller of the benchmark: `traffic serve NODE ADDRESS THREADS` answers until it is ended, `traffic call
//! JOB` calls as the job (a `bench::Call` as JSON) says and prints the outcome as JSON.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use dfaas_tests::bench;

const USAGE: &str = "usage: traffic serve NODE ADDRESS THREADS | traffic call JOB";

fn main() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", node, address, threads] => {
            let address: SocketAddr =
                address.parse().with_context(|| format!("`{address}` is no address with a port"))?;
            let threads = threads.parse().with_context(|| format!("`{threads}` is no number of threads"))?;
            let _server = bench::serve(node, address, threads)?;
            loop {
                // The server's own threads do the work, until a signal ends the program.
                std::thread::park();
            }
        }
        ["call", job] => {
            let job: bench::Call = serde_json::from_str(job).context("that is no job")?;
            let run = bench::call(&job)?;
            let text = serde_json::to_string(&run).context("cannot write the outcome")?;
            writeln!(std::io::stdout(), "{text}").context("cannot print the outcome")
        }
        _ => bail!(USAGE),
    }
}
