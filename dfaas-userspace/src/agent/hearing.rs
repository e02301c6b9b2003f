//! What gateways tell the agent.

use super::turn::Agent;
use crate::dataplane::OWN_GATEWAY;
use crate::discovery::{Catalogue, Counts, DiscoveryError, News, Report};

/// A gateway in messages.
fn called(gateway: Option<&str>) -> String {
    gateway.map_or_else(|| "the gateway".to_owned(), |name| format!("gateway {name}"))
}

impl Agent {
    /// Takes what a gateway told an earlier agent, until it tells this one.
    pub(super) fn remembered(&mut self, gateway: Option<&str>, catalogue: Catalogue) {
        tracing::info!(
            "{} functions known from before; {} is being asked",
            catalogue.functions.len(),
            called(gateway)
        );
        catalogue.problems.iter().for_each(|problem| tracing::warn!("{problem}"));
        self.learn(gateway, Ok(catalogue));
    }

    /// Takes news of a gateway; whether they call for a decision.
    pub(super) fn heard(&mut self, report: Report) -> bool {
        let gateway = report.gateway.as_deref();
        match report.news {
            News::Functions(answer) => self.discovered(gateway, answer),
            News::Health(answer) => self.checked(gateway, answer),
            News::Counts(answer) => {
                self.counted(gateway, answer);
                false
            }
        }
    }

    fn learn(&mut self, gateway: Option<&str>, answer: Result<Catalogue, String>) -> bool {
        let news = self.core.told(self.now(), gateway, answer);
        if news {
            self.send_orders();
        }
        self.publish_gateways(news);
        news
    }

    fn discovered(&mut self, gateway: Option<&str>, answer: Result<Catalogue, DiscoveryError>) -> bool {
        let before = self.core.gateways().error_of(gateway).map(str::to_owned);
        match &answer {
            Err(error) => {
                if before != Some(error.to_string()) {
                    tracing::warn!("{error}; the last known functions stay");
                }
            }
            Ok(catalogue) => {
                let known = self.core.gateways().catalogue_of(gateway);
                if known.is_none() || before.is_some() {
                    tracing::info!("{} answers; {} functions", called(gateway), catalogue.functions.len());
                }
                let problems = &catalogue.problems;
                if known.is_none_or(|old| old.problems != *problems) {
                    problems.iter().for_each(|problem| tracing::warn!("{problem}"));
                }
            }
        }
        let old = self.core.catalogue().cloned().unwrap_or_default();
        let answer = answer.map_err(|error| error.to_string());
        if gateway.is_none() {
            let error = answer.as_ref().err().cloned();
            self.publish(|state| state.gateway_error = error);
        }
        let news = self.learn(gateway, answer);
        self.log_changes(&old);
        news
    }

    fn log_changes(&self, old: &Catalogue) {
        let Some(new) = self.core.catalogue() else { return };
        for (name, info) in &new.functions {
            if old.functions.get(name).is_none_or(|before| before.gateway != info.gateway) {
                let at = info.gateway.as_ref().map(|gateway| format!(", at gateway {gateway}"));
                tracing::info!("function {name} is there{}", at.unwrap_or_default());
            }
        }
        for name in old.functions.keys().filter(|name| !new.functions.contains_key(*name)) {
            tracing::info!("function {name} is gone");
        }
    }

    fn checked(&mut self, gateway: Option<&str>, answer: Result<(), String>) -> bool {
        let why = answer.as_ref().err().cloned().unwrap_or_default();
        let Some(healthy) = self.core.checked(self.now(), gateway, answer) else { return false };
        let name = gateway.unwrap_or(OWN_GATEWAY);
        if healthy {
            tracing::info!("gateway {name} answers again");
        } else {
            tracing::warn!("gateway {name} is away: {why}; nothing is sent to it until it answers");
        }
        self.send_orders();
        self.publish_gateways(false);
        true
    }

    /// Counts are of use with the next decision; without them it goes by what the data plane sees.
    fn counted(&mut self, gateway: Option<&str>, answer: Result<Counts, DiscoveryError>) {
        let name = gateway.map(str::to_owned);
        match answer {
            Ok(counts) => {
                if self.failing.counts.remove(&name).is_some() {
                    tracing::info!("{} tells its metrics again", called(gateway));
                }
                self.core.counted(self.now(), gateway, counts);
            }
            Err(error) => {
                let error = error.to_string();
                if self.failing.counts.get(&name) != Some(&error) {
                    tracing::warn!("metrics: {error}; decisions go without them");
                    self.failing.counts.insert(name, error);
                }
            }
        }
    }

    fn publish_gateways(&self, functions: bool) {
        let catalogue = self.core.catalogue();
        let views = self.core.gateways().views(catalogue);
        self.publish(|state| {
            state.gateways = views;
            if functions {
                state.catalogue = catalogue.cloned();
            }
        });
    }
}
