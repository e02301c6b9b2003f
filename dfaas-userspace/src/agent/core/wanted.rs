//! What the data plane is to be told.

use std::collections::BTreeMap;

use dfaas_control::Time;

use super::Core;
use crate::agent::plans;
use crate::dataplane::{Function, FunctionPlan, Gateway, Peer, Waits};
use crate::discovery::FunctionInfo;

/// Everything that the data plane is to be told.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::agent) struct Wanted {
    /// The gateways at addresses of their own.
    pub gateways: Vec<Gateway>,
    /// The peers.
    pub peers: Vec<Peer>,
    /// The functions; `None` until the gateways told.
    pub functions: Option<Vec<Function>>,
    /// A plan for each function.
    pub plans: BTreeMap<String, FunctionPlan>,
    /// How long invocations wait at backends.
    pub waits: Waits,
}

impl Core {
    /// What the data plane is to be told; functions and plans once the gateway told.
    pub(in crate::agent) fn wanted(&self, now: Time) -> Wanted {
        let peers = self.roster(now);
        let mut admitted = plans::admitted(self.plan.as_ref(), &peers);
        if self.draining {
            // Connections that they have go on: peers leave them when they hear of it.
            admitted.iter_mut().for_each(|peer| peer.admission = Some(plans::NOTHING));
        }
        let waits = plans::waits(self.plan.as_ref(), &peers);
        let gateways = self.gateways.placed();
        let Some(catalogue) = &self.catalogue else {
            return Wanted { gateways, peers: admitted, functions: None, plans: BTreeMap::new(), waits };
        };
        let foreign = self.foreign(&peers);
        let own = |(name, info): (&String, &FunctionInfo)| Function {
            name: name.clone(),
            spellings: info.spellings.clone(),
            gateway: info.gateway.clone(),
        };
        let of_peers =
            |name: &String| Function { name: name.clone(), spellings: vec![name.clone()], gateway: None };
        let functions = catalogue.functions.iter().map(own).chain(foreign.iter().map(of_peers));
        let names = catalogue.functions.keys().chain(&foreign);
        let plans = self.plan.as_ref().map(|plan| plans::named(plan, names, &peers)).unwrap_or_default();
        Wanted { gateways, peers: admitted, functions: Some(functions.collect()), plans, waits }
    }
}
