//! What of the simulator's scenarios can be had on live nodes. No I/O.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use dfaas_sim::{Federation, Scenario};

/// Most nodes: each is linked to sixteen others.
pub const MOST_NODES: usize = 17;

/// Strategies that live nodes can be given without anything beside them.
pub const STRATEGIES: [&str; 8] =
    ["lease", "recalc", "nodemargin", "p2c", "random", "latency-threshold", "static", "alllocal"];

/// Most invocations a second of all users together: what one load generator on this machine can still send in time.
const MOST_RATE: f64 = 20_000.0;

/// Most functions that the kernel programs tell apart.
const MOST_FUNCTIONS: usize = 1024;

/// Most bytes of a request.
const MOST_BYTES: u64 = 16 << 20;

/// The shortest period of a live agent.
const SHORTEST_PERIOD: Duration = Duration::from_millis(100);

/// Whether a scenario can be had on live nodes with this strategy.
///
/// # Errors
/// The first key that cannot, and why.
pub fn fits(scenario: &Scenario, federation: &Federation, strategy: &str) -> Result<()> {
    ensure!(
        STRATEGIES.contains(&strategy),
        "strategy \"{strategy}\": live nodes can be given {}",
        STRATEGIES.join(", ")
    );
    let (nodes, network) = (&scenario.nodes, &scenario.network);
    ensure!(
        nodes.count <= MOST_NODES,
        "nodes.count: {} live nodes; at most {MOST_NODES}, so that each knows all others",
        nodes.count
    );
    ensure!(scenario.period >= SHORTEST_PERIOD, "period: {:?} is too short for live agents", scenario.period);
    let only_simulated = [
        ("nodes.memory", nodes.memory.is_some()),
        ("network.bandwidth", network.bandwidth > 0.0),
        ("network.loss", network.loss > 0.0),
        ("network.duplicated", network.duplicated > 0.0),
        ("network.jitter", !network.jitter.is_zero()),
        ("network.links", !network.links.is_empty()),
        ("failures", !scenario.failures.is_empty()),
        ("functions.max_inflight", scenario.functions.iter().any(|function| function.max_inflight.is_some())),
    ];
    if let Some((key, _)) = only_simulated.iter().find(|(_, used)| *used) {
        bail!("{key}: can be simulated, but not had on live nodes");
    }
    let functions = federation.functions.len();
    ensure!(functions <= MOST_FUNCTIONS, "functions: {functions}; a data plane knows {MOST_FUNCTIONS}");
    let largest = federation.functions.iter().map(|function| function.payload).max().unwrap_or(0);
    ensure!(largest <= MOST_BYTES, "functions.payload: {largest} bytes; live at most {MOST_BYTES}");
    let pieces = 0..federation.rates.pieces();
    let rate = |piece| (0..nodes.count).flat_map(|node| federation.rates.of(piece, node)).sum::<f64>();
    let most = pieces.map(rate).fold(0.0, f64::max);
    ensure!(most <= MOST_RATE, "load: {most:.0} invocations a second; live at most {MOST_RATE}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "duration = \"9s\"\nnodes = { count = 2, cores = [2] }\nload = { utilisation = 0.5 }\n\
        functions = [{ name = \"a\", cpu = \"5ms\" }]\n";

    fn judged(more: &str, strategy: &str) -> String {
        let scenario = Scenario::parse(&format!("{GOOD}{more}")).expect("a scenario");
        let federation = Federation::new(&scenario, 1);
        fits(&scenario, &federation, strategy).map_or_else(|error| error.to_string(), |()| "fits".to_owned())
    }

    #[test]
    fn what_only_the_simulator_can_do_is_named_with_its_key() {
        assert_eq!(judged("", "lease"), "fits");
        assert!(judged("[network]\nloss = 0.1", "lease").starts_with("network.loss: "));
        let failing = "[[failures]]\nat = \"1s\"\nwhat = \"kill\"\nnodes = [0]";
        assert!(judged(failing, "lease").starts_with("failures: "));
        assert!(judged("", "auction").starts_with("strategy \"auction\": live nodes can be given lease, "));
    }

    #[test]
    fn more_than_can_be_sent_in_time_is_refused() {
        let text = GOOD.replace("5ms", "10us");
        let scenario = Scenario::parse(&text).expect("a scenario");
        let error = fits(&scenario, &Federation::new(&scenario, 1), "lease").unwrap_err().to_string();
        assert!(error.starts_with("load: 200000 invocations a second"), "{error}");
    }
}
