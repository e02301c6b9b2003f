//! What there is to say of a scene.

use dfaas_common::choice::{Limits, NO_WAY};
use dfaas_common::count::{LOCAL, REJECT};
use dfaas_common::plan::{Plan, WHOLE, flag, mode};

use super::{Outcome, Question, Scene, Step};

/// A rate by the time between two invocations.
fn rate(interval: u64) -> String {
    match interval {
        0 => "no limit".to_owned(),
        dfaas_common::bucket::NEVER => "nothing".to_owned(),
        interval => format!("{:.1}/s", 1e9 / interval as f64),
    }
}

/// A wait (us) in words.
fn millis(wait: u32) -> String {
    format!("{:.1} ms", f64::from(wait) / 1000.0)
}

/// Why this node's gateway may not take one more, if it may not.
pub(super) fn limited_here(scene: &Scene, limits: Limits) -> Option<String> {
    if scene.too_long(limits.wait) {
        let (wait, most) = (millis(scene.wait(LOCAL)), millis(limits.wait));
        return Some(format!("one waits {wait} here, and {most} at most"));
    }
    if limits.inflight != 0 && scene.under_way >= u64::from(limits.inflight) {
        return Some(format!(
            "{} of {} are under way: the limit is reached",
            scene.under_way, limits.inflight
        ));
    }
    let spent = !scene.has_token(scene.local_arrival, limits.interval);
    spent.then(|| format!("the rate of {} is spent", rate(limits.interval)))
}

/// Why a peer gets nothing at the moment, if it does not.
pub(super) fn passed_over(scene: &Scene, backend: u32, interval: u64) -> Option<String> {
    let Some(peer) = scene.backends.get(&backend) else { return Some("it is not known".to_owned()) };
    if !peer.usable {
        return Some("nothing may be sent to it".to_owned());
    }
    if !peer.routed {
        return Some("there is no route".to_owned());
    }
    let spent = !scene.has_token(peer.arrival, interval);
    spent.then(|| format!("what the function may send there, {}, is spent", rate(interval)))
}

/// What is looked at before the plan.
pub(super) fn before(question: &Question, scene: &Scene) -> Vec<Step> {
    let mut steps = Vec::new();
    let interfaces = scene.interfaces.join(", ");
    let (live, most) = scene.flows;
    steps.push(Step::new(
        "data plane",
        if !scene.armed {
            format!("attached to {interfaces}, but disarmed: all goes to the gateway at the listen address")
        } else if live >= most {
            format!("armed on {interfaces}, but {live} connections are too many for new ones to be steered")
        } else {
            format!("armed on {interfaces}, {live} connections")
        },
    ));
    if let (Some(client), Some(asked)) = (&scene.client, question.client) {
        let says = if client.is_user {
            format!("{} may use the node", asked.ip())
        } else {
            format!("{} is not in dataplane.users: the host's own stack decides", asked.ip())
        };
        steps.push(Step::new("client", says));
        if let Some(connection) = &client.connection {
            steps.push(Step::new("connection", format!("{asked} has one: {connection}")));
        }
    }
    let says = if scene.function == 0 {
        format!("{} is no known function: the gateway decides", question.function)
    } else if scene.name == question.function {
        format!("{} is known, number {}", scene.name, scene.function)
    } else {
        format!("{} means {}, number {}", question.function, scene.name, scene.function)
    };
    steps.push(Step::new("function", says));
    steps
}

/// What the plan says, and how those are whom it knows.
pub(super) fn plan(scene: &Scene) -> Vec<Step> {
    let (home, reachable) = (&scene.home.1, scene.home_reachable());
    let away = if reachable { "" } else { ", which cannot be reached" };
    let home = Step::new("home", format!("served here by {home}{away}"));
    let Some(plan) = &scene.plan else {
        return vec![Step::new("plan", "none: it is served here without limits"), home];
    };
    let seconds = scene.until_expiry(plan).as_secs_f64();
    if scene.in_force().is_none() {
        let says = format!("it has expired {seconds:.1} s ago: served here without limits");
        return vec![Step::new("plan", says), home];
    }
    let mut steps = vec![Step::new("plan", format!("{}; in force for {seconds:.1} s", shares(scene, plan)))];
    steps.push(home);
    steps.push(Step::new("limits", limits(scene, plan)));
    if plan.flags & flag::LOCAL_FIRST != 0 {
        steps.push(Step::new("local first", "served here while the limits allow it; the rest is drawn"));
    }
    let targets = plan.targets.iter().zip(plan.intervals).take(plan.count as usize);
    for (target, interval) in targets.filter(|(target, _)| !matches!(target.backend, LOCAL | REJECT)) {
        steps.push(Step::new("share", share(scene, target.backend, interval)));
    }
    if plan.candidates > 0 {
        steps.push(Step::new("candidates", candidates(scene, plan)));
    }
    steps
}

fn shares(scene: &Scene, plan: &Plan) -> String {
    let mut before = 0;
    let targets = plan.targets.iter().take(plan.count as usize);
    let shares: Vec<String> = targets
        .map(|target| {
            let part = f64::from(target.cumulative - before) * 100.0 / f64::from(WHOLE);
            before = target.cumulative;
            let name = if target.backend == REJECT { "503".to_owned() } else { scene.name(target.backend) };
            format!("{name} {part:.1}%")
        })
        .collect();
    let drawn = if plan.mode == mode::SMOOTH { "evenly spaced" } else { "at random" };
    format!("{}, drawn {drawn}", shares.join(", "))
}

fn limits(scene: &Scene, plan: &Plan) -> String {
    let mut all = vec![match plan.local_inflight {
        0 => format!("{} under way here, no limit", scene.under_way),
        most => format!("{} under way here, of {most} at most", scene.under_way),
    }];
    if plan.local_interval != 0 {
        let left = scene.tokens(scene.local_arrival, plan.local_interval);
        all.push(format!("{} here, of which {left} may come at once", rate(plan.local_interval)));
    }
    if plan.local_wait != 0 {
        all.push(format!("none once one waits {} here", millis(plan.local_wait)));
    }
    all.join("; ")
}

fn share(scene: &Scene, backend: u32, interval: u64) -> String {
    let mut says = scene.name(backend);
    says.push_str(&match passed_over(scene, backend, interval) {
        Some(why) => format!(" is passed over: {why}"),
        None if interval == 0 => " can be sent to, without limit".to_owned(),
        None => format!(" can be sent to, {}", rate(interval)),
    });
    if let Some((refused, silent)) = scene.backends.get(&backend).map(|peer| peer.refused)
        && refused + silent > 0
    {
        says.push_str(&format!("; so far it has refused {refused} and left {silent} unanswered"));
    }
    says
}

fn candidates(scene: &Scene, plan: &Plan) -> String {
    let wait = |backend: u32| match scene.wait(backend) {
        NO_WAY => format!("{} cannot be sent to", scene.name(backend)),
        wait => format!("{} {}", scene.name(backend), millis(wait)),
    };
    let all = plan.candidate.iter().take(plan.candidates as usize);
    let all: Vec<String> = all.map(|backend| wait(u32::from(*backend))).collect();
    let when = match plan.overflow_above {
        u32::MAX => "once a limit is reached here".to_owned(),
        above => format!("once one waits {} here, or a limit is reached", millis(above)),
    };
    format!("two of them are asked {when}; expected waits: {}; {}", wait(LOCAL), all.join(", "))
}

/// What becomes of it, in a word or two.
pub(super) fn outcome(outcomes: &[Outcome]) -> String {
    match outcomes {
        [only] if only.backend == "untouched" => "it passes untouched to the host's own stack".to_owned(),
        [only] => only.backend.clone(),
        several => {
            let all: Vec<String> = several
                .iter()
                .map(|outcome| format!("{} {:.1}%", outcome.backend, outcome.probability * 100.0))
                .collect();
            format!("by chance: {}", all.join(", "))
        }
    }
}
