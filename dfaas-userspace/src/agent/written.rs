use std::collections::{BTreeMap, BTreeSet};

use super::core::Wanted;
use crate::dataplane::{DataPlane, DataPlaneError, Function, FunctionPlan, Peer};

/// What the data plane was told last, so that it is told only what differs; plans always, as they expire.
#[derive(Debug, Default)]
pub(super) struct Written {
    peers: Option<Vec<Peer>>,
    functions: Option<Vec<Function>>,
    armed: bool,
}

/// What the data plane has to be told now.
#[derive(Debug)]
pub(super) struct Todo {
    peers: Option<Vec<Peer>>,
    functions: Option<Vec<Function>>,
    plans: BTreeMap<String, FunctionPlan>,
}

/// How that went: peers, functions, and the plans that were refused.
pub(super) type Told =
    (Option<Result<(), DataPlaneError>>, Option<Result<(), DataPlaneError>>, Vec<(String, DataPlaneError)>);

impl Written {
    /// What is still to be told.
    pub(super) fn todo(&self, wanted: &Wanted) -> Todo {
        let other = |functions: &&Vec<Function>| self.functions.as_ref() != Some(*functions);
        Todo {
            peers: (self.peers.as_ref() != Some(&wanted.peers)).then(|| wanted.peers.clone()),
            functions: wanted.functions.as_ref().filter(other).cloned(),
            plans: wanted.plans.clone(),
        }
    }

    /// Notes how it went; the failures. What failed is told again the next time.
    pub(super) fn note(
        &mut self,
        wanted: &Wanted,
        peers: Option<Result<(), DataPlaneError>>,
        functions: Option<Result<(), DataPlaneError>>,
    ) -> Vec<String> {
        let mut failures = Vec::new();
        match peers {
            Some(Ok(())) => self.peers = Some(wanted.peers.clone()),
            Some(Err(error)) => {
                self.peers = None;
                failures.push(error.to_string());
            }
            None => {}
        }
        match functions {
            Some(Ok(())) => self.functions = wanted.functions.clone(),
            Some(Err(error)) => {
                self.functions = None;
                failures.push(error.to_string());
            }
            None => {}
        }
        failures
    }

    /// Whether the data plane knows all that it needs and is not armed yet.
    pub(super) fn may_arm(&self) -> bool {
        !self.armed && self.peers.is_some() && self.functions.is_some()
    }

    /// The data plane is armed.
    pub(super) fn armed(&mut self) {
        self.armed = true;
    }

    /// The names of the peers that it takes invocations from; nothing while that is not certain.
    pub(super) fn peer_names(&self) -> Option<BTreeSet<String>> {
        Some(self.peers.as_ref()?.iter().map(|peer| peer.name.clone()).collect())
    }
}

impl Todo {
    /// Tells the data plane: peers and functions first, as plans name them.
    pub(super) fn carry_out(self, dataplane: &mut dyn DataPlane) -> Told {
        let peers = self.peers.map(|peers| dataplane.set_peers(&peers));
        let functions = self.functions.map(|functions| dataplane.set_functions(&functions));
        let plans = self.plans.into_iter();
        let refused =
            plans.filter_map(|(name, plan)| Some((name.clone(), dataplane.write_plan(&name, &plan).err()?)));
        let refused = refused.collect();
        (peers, functions, refused)
    }
}
