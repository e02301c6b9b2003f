use std::collections::{BTreeMap, BTreeSet};

use super::core::Wanted;
use crate::dataplane::{DataPlane, DataPlaneError, Function, FunctionPlan, Gateway, Peer, Waits};

/// What the data plane was told last, so that it is told only what differs; once a period all plans, as they expire.
#[derive(Debug, Default)]
pub(super) struct Written {
    gateways: Option<Vec<Gateway>>,
    peers: Option<Vec<Peer>>,
    functions: Option<Vec<Function>>,
    plans: BTreeMap<String, FunctionPlan>,
}

/// Which plans are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plans {
    /// All: a period begins, and they are to live on.
    All,
    /// Those that say something new.
    News,
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
    pub(super) fn todo(&self, wanted: &Wanted, plans: Plans) -> Todo {
        let gateways = news(self.gateways.as_ref(), &wanted.gateways);
        let peers = news(self.peers.as_ref(), &wanted.peers);
        let functions = wanted.functions.as_ref().and_then(|wanted| news(self.functions.as_ref(), wanted));
        // Where a name got another number a plan that reads the same is another one.
        let all = plans == Plans::All
            || gateways.is_some()
            || functions.is_some()
            || self.renames(peers.as_deref());
        let told = wanted.plans.iter().filter(|(name, plan)| all || self.plans.get(*name) != Some(plan));
        let plans = told.map(|(name, plan)| (name.clone(), plan.clone())).collect();
        Todo { gateways, peers, functions, plans, waits: wanted.waits.clone() }
    }

    /// Whether these are others than the peers told last, or elsewhere; what is admitted from them does not matter.
    fn renames(&self, peers: Option<&[Peer]>) -> bool {
        let who = |peers: &[Peer]| {
            let who = |peer: &Peer| (peer.name.clone(), peer.address, peer.data_port);
            peers.iter().map(who).collect::<Vec<_>>()
        };
        peers.is_some_and(|peers| self.peers.as_deref().map(who) != Some(who(peers)))
    }

    /// Notes how it went; the failures.
    pub(super) fn note(&mut self, wanted: &Wanted, told: &Told) -> Vec<String> {
        let gateways = keep(&mut self.gateways, || Some(wanted.gateways.clone()), &told.gateways);
        let peers = keep(&mut self.peers, || Some(wanted.peers.clone()), &told.peers);
        let functions = keep(&mut self.functions, || wanted.functions.clone(), &told.functions);
        let waits = told.waits.as_ref().map(ToString::to_string);
        self.plans.clone_from(&wanted.plans);
        for (name, _) in &told.plans {
            self.plans.remove(name);
        }
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
    /// The functions whose plans are told.
    pub(super) fn plan_names(&self) -> BTreeSet<String> {
        self.plans.keys().cloned().collect()
    }

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dataplane::{PickMode, Target};

    fn plan(local: u32) -> FunctionPlan {
        FunctionPlan {
            mode: PickMode::Smooth,
            shares: vec![(Target::Local, local), (Target::Peer("b".to_owned()), 65_536 - local)],
            local_first: false,
            peer_rate: BTreeMap::new(),
            local_inflight: 0,
            local_rate: 0.0,
            local_wait: None,
            peers_rate: None,
            work: Duration::ZERO,
            overflow_above: None,
            overflow: Vec::new(),
            lifetime: Duration::from_secs(3),
        }
    }

    fn wanted(address: &str, figlet: u32, env: u32) -> Wanted {
        let function =
            |name: &str| Function { name: name.to_owned(), spellings: vec![name.to_owned()], gateway: None };
        let b =
            Peer { name: "b".to_owned(), address: address.parse().unwrap(), data_port: 1, admission: None };
        Wanted {
            gateways: Vec::new(),
            peers: vec![b],
            functions: Some(vec![function("env"), function("figlet")]),
            plans: [("env".to_owned(), plan(env)), ("figlet".to_owned(), plan(figlet))].into(),
            waits: Waits::default(),
        }
    }

    /// What went well, but for these plans.
    fn told(todo: &Todo, refused: &[&str]) -> Told {
        let error = |name: &&str| {
            let cause = "full".to_owned();
            ((*name).to_owned(), DataPlaneError::Map { map: "PLANS", cause })
        };
        Told {
            gateways: todo.gateways.as_ref().map(|_| Ok(())),
            peers: todo.peers.as_ref().map(|_| Ok(())),
            functions: todo.functions.as_ref().map(|_| Ok(())),
            waits: None,
            plans: refused.iter().map(error).collect(),
        }
    }

    fn names(todo: &Todo) -> Vec<&str> {
        todo.plans.keys().map(String::as_str).collect()
    }

    #[test]
    fn within_a_period_only_plans_that_say_something_new_are_told() {
        let mut written = Written::default();
        let first = wanted("192.0.2.2", 100, 200);
        let todo = written.todo(&first, Plans::All);
        assert_eq!(names(&todo), ["env", "figlet"]);
        written.note(&first, &told(&todo, &[]));

        assert!(names(&written.todo(&first, Plans::News)).is_empty());
        assert_eq!(names(&written.todo(&first, Plans::All)), ["env", "figlet"], "they are to live on");
        let changed = wanted("192.0.2.2", 101, 200);
        let todo = written.todo(&changed, Plans::News);
        assert_eq!(names(&todo), ["figlet"]);
        written.note(&changed, &told(&todo, &["figlet"]));
        assert_eq!(names(&written.todo(&changed, Plans::News)), ["figlet"], "what was refused is told again");
    }

    #[test]
    fn plans_are_told_anew_with_what_their_names_stand_for() {
        let mut written = Written::default();
        let first = wanted("192.0.2.2", 100, 200);
        written.note(&first, &told(&written.todo(&first, Plans::All), &[]));
        assert_eq!(names(&written.todo(&wanted("192.0.2.3", 100, 200), Plans::News)), ["env", "figlet"]);
        let mut admitting = first;
        admitting.peers[0].admission = Some(super::super::plans::NOTHING);
        assert!(names(&written.todo(&admitting, Plans::News)).is_empty());
    }
}
