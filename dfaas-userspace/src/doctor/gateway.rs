use std::sync::Arc;

use super::Finding;
use crate::agent::{Provided, providers};
use crate::config::Config;
use crate::discovery::Source;

/// Every gateway of the node: whether it tells its functions, whether it answers where it takes invocations, and whether
/// it tells what it counts.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let all = match providers(config) {
        Ok(all) => all,
        Err(cause) => return vec![Finding::fail("gateway", cause.to_string(), "report this")],
    };
    let mut findings = Vec::new();
    for Provided { gateway, provider } in all {
        let name = |what: &str| gateway.as_ref().map(|name| format!("{what} of {name}"));
        let table = if gateway.is_some() { "foreign_gateway" } else { "gateway" };
        let source = Source::new(Arc::clone(&provider), config.functions.clone());
        let check = name("functions").unwrap_or_else(|| "gateway".to_owned());
        findings.push(functions(&check, table, provider.address(), source).await);
        if let Some(health) = provider.health() {
            let check = name("health").unwrap_or_else(|| "gateway.address".to_owned());
            findings.push(told(
                &check,
                health.await,
                "answers where it takes invocations",
                "start the gateway, or correct its address",
            ));
        }
        if let Some(counts) = provider.counts() {
            let check = name("metrics").unwrap_or_else(|| "gateway.metrics".to_owned());
            let counts = counts.await.map(|_| ()).map_err(|error| error.to_string());
            let advice = format!("correct {table}.metrics, or leave it out");
            findings.push(told(&check, counts, "tells what it counts", &advice));
        }
    }
    findings
}

async fn functions(check: &str, table: &str, address: &str, mut source: Source) -> Finding {
    let advice =
        || format!("start the gateway, or correct {table}.url, {table}.user and {table}.password_file");
    match source.catalogue().await {
        Err(error) => Finding::fail(check, error.to_string(), advice()),
        Ok(catalogue) if !catalogue.problems.is_empty() => {
            let found = format!("{} functions; {}", catalogue.functions.len(), catalogue.problems.join("; "));
            Finding::warn(check, found, "correct the labels")
        }
        Ok(catalogue) => {
            Finding::ok(check, format!("{address} answers, {} functions", catalogue.functions.len()))
        }
    }
}

fn told(check: &str, answer: Result<(), String>, well: &str, advice: &str) -> Finding {
    match answer {
        Ok(()) => Finding::ok(check, well),
        Err(why) => Finding::fail(check, why, advice),
    }
}
