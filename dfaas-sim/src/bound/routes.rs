use std::collections::BTreeMap;

use super::window::{Goal, Link, Window};

/// A way in which invocations of a function can be served: one variable of the program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Route {
    pub from: usize,
    pub to: usize,
    pub function: usize,
    /// What one invocation counts.
    pub weight: f64,
    /// Time (s) that forwarding adds; 0 at home.
    pub added: f64,
    /// Most invocations a second, looking at each limit alone.
    pub most: f64,
}

/// A limit that routes share: one row of the program.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    /// How much of it there is.
    pub limit: f64,
    /// Routes, and what one invocation takes of it.
    pub uses: Vec<(usize, f64)>,
}

/// All routes that are allowed, and all limits that can bind; the limits of demand come first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Routes {
    pub routes: Vec<Route>,
    pub limits: Vec<Limit>,
    /// How many of the limits are of demand. Each route is in exactly one of them.
    pub demands: usize,
}

/// What can be used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Resource {
    Demand(usize, usize),
    Cpu(usize),
    Memory(usize),
    Rate(usize, usize),
    Link(usize, usize),
}

/// What one invocation takes of a resource of which there is so much.
struct Use {
    resource: Resource,
    limit: f64,
    used: f64,
}

impl Routes {
    /// Of a window that was checked.
    pub(super) fn new(window: &Window, goal: Goal) -> Self {
        let mut links: Vec<Vec<&Link>> = vec![Vec::new(); window.nodes.len()];
        window.links.iter().for_each(|link| links[link.from].push(link));
        links.iter_mut().for_each(|of| of.sort_by_key(|link| link.to));
        let mut routes = Vec::new();
        let mut limits: BTreeMap<Resource, Limit> = BTreeMap::new();
        for (from, rates) in window.demand.iter().enumerate() {
            for (function, rate) in rates.iter().enumerate().filter(|(_, rate)| **rate > 0.0) {
                let home = std::iter::once((from, None));
                for (to, link) in home.chain(links[from].iter().map(|link| (link.to, Some(*link)))) {
                    let Some((route, uses)) = route(window, goal, (from, to, function), link, *rate) else {
                        continue;
                    };
                    for Use { resource, limit, used } in uses {
                        let row = limits.entry(resource).or_insert(Limit { limit, uses: Vec::new() });
                        row.uses.push((routes.len(), used));
                    }
                    routes.push(route);
                }
            }
        }
        let asked = |route: &Route| window.demand[route.from][route.function];
        // A limit that holds even if each of its routes served all that is asked follows from those of demand.
        limits.retain(|resource, row| {
            matches!(resource, Resource::Demand(..))
                || row.uses.iter().map(|(index, used)| used * asked(&routes[*index])).sum::<f64>() > row.limit
        });
        let demands = limits.keys().filter(|resource| matches!(resource, Resource::Demand(..))).count();
        Self { routes, limits: limits.into_values().collect(), demands }
    }
}

/// A route with what it uses, if it is allowed and can serve anything that counts.
fn route(
    window: &Window,
    goal: Goal,
    (from, to, function): (usize, usize, usize),
    link: Option<&Link>,
    rate: f64,
) -> Option<(Route, Vec<Use>)> {
    let cost = window.costs[to][function]?;
    let (node, of) = (&window.nodes[to], &window.functions[function]);
    let added = link.map_or(0.0, |link| link.added(of.payload));
    let weight = goal.weight(of);
    if added + cost.hold > of.deadline || weight <= 0.0 {
        return None;
    }
    let memory = of.memory / of.concurrency * cost.hold;
    let mut uses = vec![
        Use { resource: Resource::Demand(from, function), limit: rate, used: 1.0 },
        Use { resource: Resource::Cpu(to), limit: node.cores * node.usable, used: cost.cpu },
        Use { resource: Resource::Memory(to), limit: node.memory, used: memory },
        Use { resource: Resource::Rate(to, function), limit: cost.most, used: 1.0 },
    ];
    let crossed = |limit| Use { resource: Resource::Link(from, to), limit, used: of.payload };
    uses.extend(link.and_then(|link| link.bandwidth).map(crossed));
    uses.retain(|of| of.used > 0.0 && of.limit.is_finite());
    let most = uses.iter().map(|of| of.limit / of.used).fold(rate, f64::min);
    // Below this a rate is lost in the rounding of the others.
    let counts = most > rate * 1e-12;
    counts.then_some((Route { from, to, function, weight, added, most }, uses))
}
