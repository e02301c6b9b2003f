//! When new connections are to be steered: only while that changes anything, since what passes natively costs nothing.

use std::time::Duration;

use dfaas_control::Time;

use super::core::Wanted;
use crate::dataplane::{FunctionPlan, Target};

/// How long nothing must have needed steering before the data plane is disarmed, so that a load about a limit does not
/// switch it with every period.
const REST: Duration = Duration::from_secs(30);

/// Whether the data plane is armed, and since when nothing needs that.
#[derive(Debug, Default)]
pub(super) struct Arming {
    /// What the data plane was told last; `None`: an earlier agent may have left it either way.
    told: Option<bool>,
    /// Since when nothing needs steering; `None`: something does.
    idle_since: Option<Time>,
}

impl Arming {
    /// What the data plane is to be told now, if anything: `need` is why connections have to be steered, if they have.
    pub(super) fn step(&mut self, now: Time, need: Option<&str>) -> Option<bool> {
        let wanted = match need {
            Some(_) => {
                self.idle_since = None;
                true
            }
            None => {
                let since = *self.idle_since.get_or_insert(now);
                // Before that whatever holds, holds.
                if now < since.after(REST) {
                    return None;
                }
                false
            }
        };
        (self.told != Some(wanted)).then_some(wanted)
    }

    /// The data plane took it.
    pub(super) fn done(&mut self, armed: bool) {
        self.told = Some(armed);
    }
}

/// Why connections have to be steered; nothing if it makes no difference: all is served by the gateway at the listen
/// addresses, without limits.
pub(super) fn need(wanted: &Wanted) -> Option<String> {
    if let Some(gateway) = wanted.gateways.first() {
        return Some(format!("gateway {} is not at a listen address", gateway.name));
    }
    wanted.plans.iter().find_map(|(name, plan)| Some(format!("{name} {}", of_plan(plan)?)))
}

/// The same of one plan.
fn of_plan(plan: &FunctionPlan) -> Option<&'static str> {
    let given = |wanted: fn(&Target) -> bool| plan.shares.iter().any(|(to, part)| *part > 0 && wanted(to));
    if given(|target| matches!(target, Target::Peer(_))) {
        Some("is shared with peers")
    } else if given(|target| *target == Target::Reject) {
        Some("is rejected in part")
    } else if plan.local_rate > 0.0 || plan.local_inflight > 0 || plan.local_wait.is_some() {
        Some("is limited here")
    } else if plan.overflow_above.is_some() && !plan.overflow.is_empty() {
        Some("may overflow to peers")
    } else {
        plan.local_first.then_some("is served here first")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dataplane::{Gateway, PickMode, Waits};

    fn plan(shares: &[(Target, u32)]) -> FunctionPlan {
        FunctionPlan {
            mode: PickMode::Smooth,
            shares: shares.to_vec(),
            local_first: false,
            peer_rate: BTreeMap::new(),
            local_inflight: 0,
            local_rate: 0.0,
            local_wait: None,
            peers_rate: None,
            work: Duration::ZERO,
            overflow_above: None,
            overflow: Vec::new(),
            lifetime: Duration::from_secs(1),
        }
    }

    fn wanted(plan: FunctionPlan) -> Wanted {
        let plans = [("figlet".to_owned(), plan)].into();
        Wanted {
            gateways: Vec::new(),
            peers: Vec::new(),
            functions: Some(Vec::new()),
            plans,
            waits: Waits::default(),
        }
    }

    #[test]
    fn only_what_changes_where_an_invocation_goes_needs_steering() {
        let here = || plan(&[(Target::Local, 65_536)]);
        let peer = || Target::Peer("b".to_owned());
        let why = |plan| need(&wanted(plan)).unwrap_or_default();
        assert_eq!(why(here()), "");
        assert_eq!(why(plan(&[(Target::Local, 65_536), (peer(), 0)])), "", "a peer without a part");
        assert_eq!(why(plan(&[(Target::Local, 65_535), (peer(), 1)])), "figlet is shared with peers");
        assert_eq!(why(plan(&[(Target::Reject, 65_536)])), "figlet is rejected in part");
        assert_eq!(why(FunctionPlan { local_rate: 0.5, ..here() }), "figlet is limited here");
        assert_eq!(why(FunctionPlan { local_inflight: 3, ..here() }), "figlet is limited here");
        let overflow = vec!["b".to_owned()];
        assert_eq!(
            why(FunctionPlan { overflow: overflow.clone(), ..here() }),
            "",
            "there is no limit to reach"
        );
        let overflow_above = Some(Duration::ZERO);
        assert_eq!(why(FunctionPlan { overflow_above, overflow, ..here() }), "figlet may overflow to peers");
        assert_eq!(why(FunctionPlan { local_first: true, ..here() }), "figlet is served here first");
        let address = "10.62.0.5:8080".parse().unwrap();
        let away = Gateway { name: "gateway".to_owned(), address, healthy: false };
        let elsewhere = Wanted { gateways: vec![away], ..wanted(here()) };
        assert_eq!(need(&elsewhere).unwrap(), "gateway gateway is not at a listen address");
    }

    #[test]
    fn it_is_armed_at_once_and_disarmed_after_half_a_minute_without_need() {
        let at = |seconds| Time(Duration::from_secs(seconds));
        let mut arming = Arming::default();
        assert_eq!(arming.step(at(0), Some("shared")), Some(true));
        assert_eq!(arming.step(at(1), Some("shared")), Some(true), "until the data plane took it");
        arming.done(true);
        assert_eq!(arming.step(at(2), Some("shared")), None);
        assert_eq!(arming.step(at(10), None), None);
        assert_eq!(arming.step(at(39), None), None);
        assert_eq!(arming.step(at(39), Some("shared")), None, "needed again: the time begins anew");
        assert_eq!(arming.step(at(41), None), None);
        assert_eq!(arming.step(at(70), None), None);
        assert_eq!(arming.step(at(71), None), Some(false));
        arming.done(false);
        assert_eq!(arming.step(at(72), None), None);
        assert_eq!(arming.step(at(73), Some("limited")), Some(true));
    }

    #[test]
    fn what_an_earlier_agent_armed_stays_so_for_half_a_minute_too() {
        let at = |seconds| Time(Duration::from_secs(seconds));
        let mut arming = Arming::default();
        assert_eq!(arming.step(at(5), None), None);
        assert_eq!(arming.step(at(34), None), None);
        assert_eq!(arming.step(at(35), None), Some(false));
    }
}
