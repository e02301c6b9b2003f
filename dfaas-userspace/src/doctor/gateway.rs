use super::Finding;
use crate::config::Config;
use crate::discovery::Client;

pub(super) async fn examine(config: &Config) -> Finding {
    let advice = "start the gateway, or correct gateway.url, gateway.user and gateway.password_file";
    let mut client = match Client::new(config.gateway.clone(), config.functions.clone()) {
        Ok(client) => client,
        Err(cause) => return Finding::fail("gateway", cause.to_string(), advice),
    };
    match client.catalogue().await {
        Err(error) => Finding::fail("gateway", error.to_string(), advice),
        Ok(catalogue) if !catalogue.problems.is_empty() => {
            let found = format!("{} functions; {}", catalogue.functions.len(), catalogue.problems.join("; "));
            Finding::warn("gateway", found, "correct the labels")
        }
        Ok(catalogue) => Finding::ok(
            "gateway",
            format!("{} answers, {} functions", config.gateway.url, catalogue.functions.len()),
        ),
    }
}
