//! What the agent publishes of itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::core::Wanted;
use super::plans;
use super::state::{State, WrittenPlan};
use super::turn::Agent;

impl Agent {
    /// Changes the published state.
    pub(super) fn publish(&self, change: impl FnOnce(&mut State)) {
        self.publish.send_modify(|state| change(Arc::make_mut(state)));
    }

    /// The plans of `told` were written now, but for those that were `refused`; `renewed`: all of them, without a failure.
    pub(super) fn publish_plans(
        &self,
        wanted: Wanted,
        told: &BTreeSet<String>,
        refused: &BTreeSet<String>,
        renewed: bool,
    ) {
        let written = Instant::now();
        self.publish(|state| {
            if wanted.functions.is_some() && renewed {
                state.plans_written = Some(written);
            }
            state.admission =
                wanted.peers.iter().filter_map(|peer| Some((peer.name.clone(), peer.admission?))).collect();
            let plans = wanted.plans;
            state.plans.retain(|name, _| plans.contains_key(name));
            for (name, plan) in
                plans.into_iter().filter(|(name, _)| told.contains(name) && !refused.contains(name))
            {
                let before = state.plans.get(&name);
                if before.is_none_or(|before| !plans::same(&before.plan, &plan)) {
                    state.plan_changes += 1;
                }
                state.plans.insert(name, WrittenPlan { plan, written });
            }
        });
    }

    pub(super) fn publish_overlay(&self) {
        let (members, now) = (self.core.members(), self.now());
        let leases = self.core.leases(now);
        let (conflict, stale) = (self.core.conflict(now), self.core.stale_beats());
        if conflict && !self.publish.borrow().conflict {
            tracing::error!(
                "another agent seems to run with this node's identity; until that is over nothing is shared"
            );
        }
        self.publish(|state| {
            state.members = members;
            state.leases = leases;
            state.conflict = conflict;
            state.stale_beats = stale;
        });
    }

    pub(super) fn publish_failures(&self, news: usize) {
        let failing = self.failing.writing.clone().or_else(|| self.failing.maintenance.clone());
        self.publish(|state| {
            state.dataplane_error = failing;
            state.dataplane_errors += news as u64;
        });
    }
}
