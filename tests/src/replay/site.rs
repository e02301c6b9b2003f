//! The nodes of a scenario in a lab.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use dfaas_sim::federation::Service;
use dfaas_sim::{Federation, Scenario};

use crate::federation;
use crate::lab::{Lab, Topology};
use crate::node::Node;
use crate::relay::{Delays, Relay};
use crate::settings::{Agent, Function, Gateway, StaticPeer};

/// Percent of its users' invocations that a node keeps with `static`: what the simulator's nodes keep.
const STATIC_LOCAL: f64 = 60.0;

/// Strategies that share by what functions cost. The functions of live nodes take no processor time from which that could
/// be learnt, so their labels say how many a second a node serves.
const PRICING: [&str; 4] = ["lease", "nodemargin", "p2c", "recalc"];

/// Running nodes that have found each other.
#[derive(Debug)]
pub struct Site {
    /// In the order of the scenario.
    pub nodes: Vec<Node>,
    /// What lies between them, if they are apart.
    pub relay: Option<Relay>,
    // Dropped last: all others live in it.
    /// Where they are.
    pub lab: Lab,
}

impl Site {
    /// Starts them.
    ///
    /// # Errors
    /// What could not be made or did not start, with the last lines of its log.
    pub fn start(scenario: &Scenario, federation: &Federation, strategy: &str, dfaas: &Path) -> Result<Self> {
        let count = u8::try_from(federation.nodes()).context("too many nodes")?;
        let lab = Lab::new(Topology { nodes: count, ..Topology::default() })
            .context("cannot make the network namespaces")?;
        let settings =
            |index: u8| (agent(scenario, strategy, index, count), gateway(federation, strategy, index));
        let shares = !matches!(strategy, "static" | "alllocal");
        let nodes = if shares {
            federation::nodes(&lab, count, dfaas, |index, _| settings(index))?.0
        } else {
            let node = |index| {
                let (agent, gateway) = settings(index);
                Node::with_binary(&lab, index, &agent, &gateway, dfaas)
            };
            (1..=count).map(node).collect::<Result<_>>()?
        };
        let delays = delays(federation)?;
        let relay = if delays.are_none() { None } else { Some(Relay::start(&lab, delays)?) };
        let mut site = Self { nodes, relay, lab };
        // One after the other: the first agent may have to mount the kernel's BPF file system for all.
        for node in &mut site.nodes {
            let name = node.name();
            node.start_gateway().with_context(|| format!("the gateway of {name} did not start"))?;
            node.start_agent().with_context(|| format!("the agent of {name} did not start"))?;
        }
        if shares {
            federation::wait_formed(&site.nodes.iter().collect::<Vec<_>>())?;
        }
        Ok(site)
    }

    /// An error if anything that was started has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.relay.as_ref().map_or(Ok(()), Relay::check)?;
        self.nodes.iter_mut().try_for_each(Node::check)
    }
}

fn agent(scenario: &Scenario, strategy: &str, index: u8, count: u8) -> Agent {
    let agent = Agent {
        strategy: strategy.to_owned(),
        period: format!("{}ms", scenario.period.as_millis()),
        ..Agent::default()
    };
    if strategy != "static" {
        return agent;
    }
    let others = (1..=count).filter(|other| *other != index);
    Agent {
        static_local: STATIC_LOCAL,
        peers: others.map(|other| StaticPeer::node(other, 1.0)).collect(),
        ..agent
    }
}

fn gateway(federation: &Federation, strategy: &str, index: u8) -> Gateway {
    let cores = federation.cores[usize::from(index) - 1];
    let function = |(place, service): (usize, &Service)| {
        let rate = rate(cores, service);
        let mut function = Function::echo_at_most(rate);
        if service.max_rate.is_some() || PRICING.contains(&strategy) {
            function = function.labelled(rate);
        }
        let deadline = Duration::from_nanos(service.deadline).as_millis();
        function.labels.insert("dfaas.timeout_ms".to_owned(), deadline.max(1).to_string());
        (name(federation, place), function)
    };
    let functions: BTreeMap<_, _> = federation.functions.iter().enumerate().map(function).collect();
    Gateway { functions, ..Gateway::default() }
}

/// Invocations of a function a second that a node of so many processors serves, if it serves nothing else.
fn rate(cores: u32, service: &Service) -> f64 {
    let rate = f64::from(cores) / (service.cpu as f64 / 1e9);
    service.max_rate.map_or(rate, |most| rate.min(most))
}

/// What a function is called on live nodes: its own name, if a gateway takes that; traces have longer ones.
pub(super) fn name(federation: &Federation, place: usize) -> String {
    let name = &federation.functions[place].name;
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=63).contains(&name.len()) && name.bytes().all(taken) {
        return name.clone();
    }
    format!("dfaas-function-{place}")
}

fn delays(federation: &Federation) -> Result<Delays> {
    let nodes = federation.nodes();
    let rtt = |from: usize, to: usize| {
        if from == to { Duration::ZERO } else { Duration::from_nanos(federation.rtt(from, to)) }
    };
    let rtts: Vec<Duration> = (0..nodes).flat_map(|from| (0..nodes).map(move |to| rtt(from, to))).collect();
    Delays::of_round_trips(nodes, &rtts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn federation() -> Federation {
        let text = format!(
            "duration = \"9s\"\nnodes = {{ count = 2, cores = [2, 5] }}\nload = {{ utilisation = 0.5 }}\n\
             functions = [{{ name = \"a\", cpu = \"500ms\", deadline = \"2s\" }}, {{ name = \"{}\", cpu = \"1ms\", max_rate = 7.0 }}]",
            "f".repeat(64)
        );
        Federation::new(&Scenario::parse(&text).expect("a scenario"), 1)
    }

    #[test]
    fn a_gateway_serves_what_the_processors_would_and_tells_those_who_cannot_learn_it() {
        let federation = federation();
        let function = &gateway(&federation, "lease", 2).functions["a"];
        assert_eq!((function.rate, function.labels["dfaas.maxrate"].as_str()), (Some(10.0), "10"));
        let function = &gateway(&federation, "static", 2).functions["a"];
        assert_eq!((function.rate, function.labels.get("dfaas.maxrate")), (Some(10.0), None));
        assert_eq!(function.labels["dfaas.timeout_ms"], "2000");
    }

    #[test]
    fn a_function_whose_name_is_too_long_gets_another_and_keeps_its_limit() {
        let federation = federation();
        let long =
            federation.functions.iter().position(|function| function.name.len() == 64).expect("it is there");
        let gateway = gateway(&federation, "static", 1);
        assert_eq!(gateway.functions[&format!("dfaas-function-{long}")].rate, Some(7.0));
        let function = &gateway.functions[&format!("dfaas-function-{long}")];
        assert_eq!(
            function.labels["dfaas.maxrate"], "7",
            "a limit of the scenario is a label for every strategy"
        );
    }
}
