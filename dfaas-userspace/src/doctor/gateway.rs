use super::Finding;
use crate::config::Config;
use crate::discovery::{Client, Health};

/// Every gateway of the node: whether it tells its functions, and whether it answers where it takes invocations.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let own = Client::new(config.gateway.clone(), config.functions.clone());
    let mut findings = vec![functions("gateway", "gateway", own).await];
    if let Some(address) = config.dataplane.gateway {
        findings.push(health("gateway.address", Health::new(address)).await);
    }
    for gateway in &config.foreign_gateways {
        let client = Client::new(gateway.api.clone(), config.functions.clone()).map(Client::foreign);
        findings.push(functions(&format!("functions of {}", gateway.name), "foreign_gateway", client).await);
        findings.push(health(&format!("health of {}", gateway.name), Health::new(gateway.address)).await);
    }
    findings
}

async fn functions(check: &str, table: &str, client: Result<Client, reqwest::Error>) -> Finding {
    let advice =
        || format!("start the gateway, or correct {table}.url, {table}.user and {table}.password_file");
    let mut client = match client {
        Ok(client) => client,
        Err(cause) => return Finding::fail(check, cause.to_string(), advice()),
    };
    match client.catalogue().await {
        Err(error) => Finding::fail(check, error.to_string(), advice()),
        Ok(catalogue) if !catalogue.problems.is_empty() => {
            let found = format!("{} functions; {}", catalogue.functions.len(), catalogue.problems.join("; "));
            Finding::warn(check, found, "correct the labels")
        }
        Ok(catalogue) => {
            Finding::ok(check, format!("{} answers, {} functions", client.url(), catalogue.functions.len()))
        }
    }
}

async fn health(check: &str, health: Result<Health, String>) -> Finding {
    let answer = match health {
        Ok(health) => health.check().await,
        Err(cause) => Err(cause),
    };
    match answer {
        Ok(()) => Finding::ok(check, "answers where it takes invocations"),
        Err(why) => Finding::fail(check, why, "start the gateway, or correct its address"),
    }
}
