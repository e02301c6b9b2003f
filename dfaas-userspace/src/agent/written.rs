use std::collections::{BTreeMap, BTreeSet};

use super::core::Wanted;
use crate::dataplane::{DataPlane, DataPlaneError, Function, FunctionPlan, Gateway, Peer, Waits};

/// What the data plane was told last, so that it is told only what differs; plans always, as they expire.
#[derive(Debug, Default)]
pub(super) struct Written {
    gateways: Option<Vec<Gateway>>,
    peers: Option<Vec<Peer>>,
    functions: Option<Vec<Function>>,
}

/// What the data plane has to be told now.
#[derive(Debug)]
pub(super) struct Todo {
    gateways: Option<Vec<Gateway>>,
    peers: Option<Vec<Peer>>,
    functions: Option<Vec<Function>>,
    plans: BTreeMap<String, FunctionPlan>,
    waits: Waits,
}

/// How one part of it went; `None`: there was nothing to tell.
type Outcome = Option<Result<(), DataPlaneError>>;

/// How that went.
#[derive(Debug)]
pub(super) struct Told {
    gateways: Outcome,
    peers: Outcome,
    functions: Outcome,
    waits: Option<DataPlaneError>,
    /// The plans that were refused.
    pub(super) plans: Vec<(String, DataPlaneError)>,
}

/// `wanted`, unless it is what was told last.
fn news<T: Clone + PartialEq>(told: Option<&T>, wanted: &T) -> Option<T> {
    (told != Some(wanted)).then(|| wanted.clone())
}

/// Keeps what was told; what failed is told again the next time.
fn keep<T>(told: &mut Option<T>, wanted: impl FnOnce() -> Option<T>, outcome: &Outcome) -> Option<String> {
    match outcome {
        Some(Ok(())) => *told = wanted(),
        Some(Err(error)) => {
            *told = None;
            return Some(error.to_string());
        }
        None => {}
    }
    None
}

impl Written {
    /// What is still to be told.
    pub(super) fn todo(&self, wanted: &Wanted) -> Todo {
        Todo {
            gateways: news(self.gateways.as_ref(), &wanted.gateways),
            peers: news(self.peers.as_ref(), &wanted.peers),
            functions: wanted.functions.as_ref().and_then(|wanted| news(self.functions.as_ref(), wanted)),
            plans: wanted.plans.clone(),
            waits: wanted.waits.clone(),
        }
    }

    /// Notes how it went; the failures.
    pub(super) fn note(&mut self, wanted: &Wanted, told: &Told) -> Vec<String> {
        let gateways = keep(&mut self.gateways, || Some(wanted.gateways.clone()), &told.gateways);
        let peers = keep(&mut self.peers, || Some(wanted.peers.clone()), &told.peers);
        let functions = keep(&mut self.functions, || wanted.functions.clone(), &told.functions);
        let waits = told.waits.as_ref().map(ToString::to_string);
        [gateways, peers, functions, waits].into_iter().flatten().collect()
    }

    /// Whether the data plane knows all that it needs to steer.
    pub(super) fn is_complete(&self) -> bool {
        self.gateways.is_some() && self.peers.is_some() && self.functions.is_some()
    }

    /// The names of the peers that it takes invocations from; nothing while that is not certain.
    pub(super) fn peer_names(&self) -> Option<BTreeSet<String>> {
        Some(self.peers.as_ref()?.iter().map(|peer| peer.name.clone()).collect())
    }
}

impl Todo {
    /// Tells the data plane: gateways before functions, as these name them; both and peers before plans.
    pub(super) fn carry_out(self, dataplane: &mut dyn DataPlane) -> Told {
        let gateways = self.gateways.map(|gateways| dataplane.set_gateways(&gateways));
        let peers = self.peers.map(|peers| dataplane.set_peers(&peers));
        let functions = self.functions.map(|functions| dataplane.set_functions(&functions));
        let waits = dataplane.set_waits(&self.waits).err();
        let plans = self.plans.into_iter();
        let refused =
            plans.filter_map(|(name, plan)| Some((name.clone(), dataplane.write_plan(&name, &plan).err()?)));
        Told { gateways, peers, functions, waits, plans: refused.collect() }
    }
}
