use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dfaas_control::Leases;
use libp2p::PeerId;
use tokio::sync::watch;

use super::gateways::GatewayView;
use super::health::{Check, Health};
use super::report_measured::Measured;
use crate::config::{Config, StaticPeer};
use crate::dataplane::{Admission, FunctionPlan, Snapshot};
use crate::discovery::Catalogue;
use crate::federation::MemberView;
use crate::overlay;

/// How a gateway at an address of its own is.
fn gateway_check(gateway: &GatewayView) -> Check {
    let outcome = match gateway.away.as_ref().or(gateway.error.as_ref()) {
        Some(why) => Err(why.clone()),
        None => Ok(format!("answers at {}", gateway.address)),
    };
    // The plain word is the check of the own gateway's admin API.
    Check::new(&format!("gateway {}", gateway.name), outcome)
}

/// A plan and when the data plane took it.
#[derive(Debug, Clone)]
pub struct WrittenPlan {
    /// The plan.
    pub plan: FunctionPlan,
    /// When it was written.
    pub written: Instant,
}

/// Invocations a second of one function.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// That this node's users asked for.
    pub user: f64,
    /// That came from peers.
    pub peer: f64,
    /// That were answered 429 or 503 here.
    pub reject: f64,
}

/// What the agent publishes of itself; the admin interface reads it without asking the loop.
#[derive(Debug, Clone)]
pub struct State {
    /// Name of this node.
    pub node: String,
    /// Its region; may be empty.
    pub region: String,
    /// Name of the strategy.
    pub strategy: String,
    /// Time between ticks.
    pub period: Duration,
    /// Time after which a plan is stale.
    pub lifetime: Duration,
    /// Addresses at which users call.
    pub listen: Vec<SocketAddr>,
    /// Where invocations from peers arrive.
    pub data_port: u16,
    /// The peers of the configuration.
    pub static_peers: Vec<StaticPeer>,
    /// The identity of this node; nothing without an overlay.
    pub id: Option<PeerId>,
    /// The nodes of the overlay.
    pub members: Vec<MemberView>,
    /// How the overlay is; `None` without one.
    pub overlay: Option<watch::Receiver<Arc<overlay::Status>>>,
    /// Whether another agent seems to use this node's identity.
    pub conflict: bool,
    /// Beats that were older than what was known of their sender.
    pub stale_beats: u64,
    /// What this node and its peers lease each other, by name of the peer; nothing by most strategies.
    pub leases: BTreeMap<String, Leases>,
    /// What is admitted from peers, by name; one that is missing has no limit.
    pub admission: BTreeMap<String, Admission>,
    /// When the agent started.
    pub started: Instant,
    /// The functions; `None` until the gateways told.
    pub catalogue: Option<Catalogue>,
    /// Why the own gateway's last answer was of no use; `None` if it was.
    pub gateway_error: Option<String>,
    /// The gateways at addresses of their own.
    pub gateways: Vec<GatewayView>,
    /// Why the data plane's last answer was no good; `None` if it was.
    pub dataplane_error: Option<String>,
    /// Data plane calls that failed.
    pub dataplane_errors: u64,
    /// What was asked for and answered in the last period, by function.
    pub rates: BTreeMap<String, Rates>,
    /// What was last read of machine and gateways.
    pub measured: Measured,
    /// The plans in force, by canonical name of the function.
    pub plans: BTreeMap<String, WrittenPlan>,
    /// When all plans were last written without an error.
    pub plans_written: Option<Instant>,
    /// Times that a function's plan said something new.
    pub plan_changes: u64,
    /// The last reading of the data plane.
    pub snapshot: Snapshot,
    /// Why connections have to be steered; `None`: nothing needs it, or it is not known yet.
    pub steering_need: Option<String>,
    /// What became of the questions to the model server, with how many.
    pub queries: BTreeMap<&'static str, u64>,
    /// Why the last of them had no answer of use; `None` if it had.
    pub query_error: Option<String>,
    /// Whether the node takes nothing from peers, by an operator's word.
    pub draining: bool,
    /// Whether the agent is on its way out.
    pub leaving: bool,
}

impl State {
    /// An agent that has just started.
    pub fn new(
        config: &Config,
        started: Instant,
        overlay: Option<(PeerId, watch::Receiver<Arc<overlay::Status>>)>,
    ) -> Self {
        let (id, overlay) = overlay.unzip();
        Self {
            node: config.name.clone(),
            region: config.region.clone(),
            strategy: config.control.strategy.clone(),
            period: config.control.options.period,
            lifetime: config.control.options.lifetime(),
            listen: config.dataplane.listen.clone(),
            data_port: config.dataplane.data_port,
            static_peers: config.static_peers.clone(),
            id,
            members: Vec::new(),
            overlay,
            conflict: false,
            stale_beats: 0,
            leases: BTreeMap::new(),
            admission: BTreeMap::new(),
            started,
            catalogue: None,
            gateway_error: Some("not asked yet".to_owned()),
            gateways: Vec::new(),
            dataplane_error: None,
            dataplane_errors: 0,
            rates: BTreeMap::new(),
            measured: Measured::default(),
            plans: BTreeMap::new(),
            plans_written: None,
            plan_changes: 0,
            snapshot: Snapshot::default(),
            steering_need: None,
            queries: BTreeMap::new(),
            query_error: None,
            draining: false,
            leaving: false,
        }
    }

    /// Whether the node does its work: the functions were read once and their plans written.
    pub fn ready(&self) -> bool {
        self.catalogue.is_some() && self.plans_written.is_some() && !self.leaving
    }

    /// How the agent is at `now`.
    pub fn health(&self, now: Instant) -> Health {
        let attached = match (&self.dataplane_error, self.leaving) {
            (_, true) => Err("the agent is leaving".to_owned()),
            (Some(error), _) => Err(error.clone()),
            (None, _) => Ok("attached".to_owned()),
        };
        let gateway = match &self.gateway_error {
            Some(error) => Err(error.clone()),
            None => Ok("answers".to_owned()),
        };
        let plans = match self.plans_written {
            None => Err("none written yet".to_owned()),
            Some(written) => {
                let age = now.saturating_duration_since(written);
                let text = format!("last written {:.1} s ago", age.as_secs_f64());
                if age <= self.lifetime { Ok(text) } else { Err(format!("{text}, expired")) }
            }
        };
        let mut checks = vec![
            Check::new("dataplane", attached),
            Check::new("gateway", gateway),
            Check::new("plans", plans),
        ];
        checks.extend(self.gateways.iter().map(gateway_check));
        checks
            .extend(self.overlay_status().map(|status| Check::new("overlay", self.overlay_health(&status))));
        Health::new(checks)
    }

    /// How the overlay is now; `None` without one.
    pub fn overlay_status(&self) -> Option<Arc<overlay::Status>> {
        self.overlay.as_ref().map(|status| status.borrow().clone())
    }

    /// A node alone is well: it serves its users. One whose identity is used twice, or whose overlay has ended, is not.
    fn overlay_health(&self, status: &overlay::Status) -> Result<String, String> {
        let ended = self.overlay.as_ref().is_some_and(|status| status.has_changed().is_err());
        if ended && !self.leaving {
            return Err("the overlay has ended; start the agent again".to_owned());
        }
        if self.conflict {
            return Err("another agent seems to run with this node's identity; give each its own".to_owned());
        }
        match (status.links.len(), &status.bootstrap_error) {
            (0, Some(error)) => Ok(format!("alone: {error}")),
            (0, None) => Ok("alone".to_owned()),
            (links, _) => Ok(format!("{links} links")),
        }
    }
}
