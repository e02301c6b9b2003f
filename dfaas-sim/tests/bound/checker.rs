//! What the module claims, worked out another way.

use std::collections::BTreeMap;

use dfaas_sim::bound::{Cost, Division, Flow, Goal, Link, Window};

/// More than this part above a limit is wrong.
const ROUNDING: f64 = 1e-9;

/// Panics unless a division keeps all that the window says.
pub fn keeps_every_limit(window: &Window, division: &Division) {
    let mut asked: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut cpu: BTreeMap<usize, f64> = BTreeMap::new();
    let mut memory: BTreeMap<usize, f64> = BTreeMap::new();
    let mut served: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut bytes: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for flow in &division.flows {
        let Flow { from, to, function, rate } = *flow;
        assert!(rate > 0.0 && rate.is_finite(), "{flow:?}");
        let cost = admissible(window, flow).unwrap_or_else(|| panic!("{flow:?} is not allowed"));
        let of = &window.functions[function];
        *asked.entry((from, function)).or_default() += rate;
        *served.entry((to, function)).or_default() += rate;
        *cpu.entry(to).or_default() += rate * cost.cpu;
        *memory.entry(to).or_default() += of.memory * rate * cost.hold / of.concurrency;
        *bytes.entry((from, to)).or_default() += of.payload * rate;
    }
    let within = |what: &str, used: f64, limit: f64| {
        assert!(used <= limit * (1.0 + ROUNDING), "{what}: {used} of {limit} in {division:?}");
    };
    asked.iter().for_each(|((i, f), used)| within("demand", *used, window.demand[*i][*f]));
    cpu.iter().for_each(|(j, used)| within("cores", *used, window.nodes[*j].cores * window.nodes[*j].usable));
    memory.iter().for_each(|(j, used)| within("memory", *used, window.nodes[*j].memory));
    for ((j, f), used) in &served {
        within("limit", *used, window.costs[*j][*f].map_or(0.0, |cost| cost.most));
    }
    for link in &window.links {
        let used = bytes.get(&(link.from, link.to)).copied().unwrap_or(0.0);
        within("link", used, link.bandwidth.unwrap_or(f64::INFINITY));
    }
}

/// What an invocation costs where a flow brings it, if it may go there and is answered in time.
fn admissible(window: &Window, flow: &Flow) -> Option<Cost> {
    let cost = window.costs[flow.to][flow.function]?;
    let of = &window.functions[flow.function];
    let way = if flow.from == flow.to {
        0.0
    } else {
        let there = |link: &&Link| (link.from, link.to) == (flow.from, flow.to);
        let link = window.links.iter().find(there)?;
        link.delay + link.bandwidth.map_or(0.0, |bandwidth| of.payload / bandwidth)
    };
    (way + cost.hold <= of.deadline).then_some(cost)
}

/// What a greedy division serves: home first, then link by link in the order given, each function in the order of `turn`.
pub fn greedy(window: &Window, goal: Goal, turn: &[usize]) -> Division {
    let home = (0..window.nodes.len()).map(|node| (node, node));
    let ways: Vec<(usize, usize)> =
        home.chain(window.links.iter().map(|link| (link.from, link.to))).collect();
    let mut division = Division::default();
    for (from, to) in ways {
        for function in turn.iter().map(|turn| turn % window.functions.len()) {
            let flow = Flow { from, to, function, rate: 1.0 };
            if let Some(cost) = admissible(window, &flow) {
                let rate = room(window, &division, &flow, cost) * (1.0 - 1e-12);
                let counts = rate > 1e-9 && goal.weight(&window.functions[function]) > 0.0;
                division.flows.extend(counts.then_some(Flow { rate, ..flow }));
            }
        }
    }
    division
}

/// How much more of a flow fits beside a division.
fn room(window: &Window, division: &Division, flow: &Flow, cost: Cost) -> f64 {
    let Flow { from, to, function, .. } = *flow;
    let sum = |of: &dyn Fn(&Flow) -> f64| division.flows.iter().map(of).sum::<f64>();
    let node = &window.nodes[to];
    let part = |function: usize| window.functions[function].memory / window.functions[function].concurrency;
    let at = |other: &Flow| window.costs[other.to][other.function].expect("it is served there");
    let here = |other: &Flow, used: f64| if other.to == to { used } else { 0.0 };
    let asked = sum(&|other| if (other.from, other.function) == (from, function) { other.rate } else { 0.0 });
    let cpu = sum(&|other| here(other, other.rate * at(other).cpu));
    let memory = sum(&|other| here(other, other.rate * at(other).hold * part(other.function)));
    let same = |other: &Flow| if other.function == function { here(other, other.rate) } else { 0.0 };
    let mut rooms = vec![
        cost.most - sum(&same),
        window.demand[from][function] - asked,
        (node.cores * node.usable - cpu) / cost.cpu,
        (node.memory - memory) / (cost.hold * part(function)),
    ];
    let link = window.links.iter().find(|link| (link.from, link.to) == (from, to));
    if let Some(bandwidth) = link.and_then(|link| link.bandwidth) {
        let payload = |other: &Flow| window.functions[other.function].payload;
        let sent = |other: &Flow| if (other.from, other.to) == (from, to) { other.rate } else { 0.0 };
        let bytes = sum(&|other| sent(other) * payload(other));
        rooms.push((bandwidth - bytes) / payload(flow));
    }
    rooms.into_iter().fold(f64::INFINITY, f64::min).max(0.0)
}

/// The best of a window with processors alone where an invocation costs the same everywhere, and work is what counts: the
/// least cut, over all sets of (node, function) whose work is not cut off (Ford and Fulkerson, 1956).
pub fn least_cut(window: &Window) -> f64 {
    let sources: Vec<(usize, usize)> = (0..window.nodes.len())
        .flat_map(|node| (0..window.functions.len()).map(move |function| (node, function)))
        .collect();
    let cut = |set: u32| {
        let inside = |index: usize| set & (1 << index) != 0;
        let work = |(node, function): (usize, usize)| {
            window.demand[node][function] * window.functions[function].work
        };
        let cut_off: f64 =
            (0..sources.len()).filter(|index| !inside(*index)).map(|index| work(sources[index])).sum();
        let reached = |node: &usize| {
            (0..sources.len()).filter(|index| inside(*index)).any(|index| {
                let (from, function) = sources[index];
                admissible(window, &Flow { from, to: *node, function, rate: 1.0 }).is_some()
            })
        };
        let cores = |node: usize| window.nodes[node].cores * window.nodes[node].usable;
        cut_off + (0..window.nodes.len()).filter(reached).map(cores).sum::<f64>()
    };
    (0..1_u32 << sources.len()).map(cut).fold(f64::INFINITY, f64::min)
}
