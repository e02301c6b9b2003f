use dfaas_sim::bound::{Cost, Function, Goal, Link, Window, best, least_forwarding};
use proptest::prelude::*;

use crate::checker::{greedy, keeps_every_limit, least_cut};
use crate::towns::any;

const GOALS: [Goal; 3] = [Goal::Requests, Goal::Work, Goal::Value];

/// Two bounds that are proven to five digits each can differ by this part.
const DIGITS: f64 = 2e-5;

/// A goal's bound; whatever the window, there is one.
fn bound(window: &Window, goal: Goal) -> f64 {
    best(window, goal).unwrap_or_else(|error| panic!("{error}")).ceiling
}

fn at_least(more: f64, less: f64) {
    assert!(more >= less * (1.0 - DIGITS) - 1e-9, "{more} is below {less}");
}

fn same(a: f64, b: f64) {
    at_least(a, b);
    at_least(b, a);
}

/// The same window with processors as its only limit, and each function at its own work everywhere.
fn processors_alone(mut window: Window) -> Window {
    let work: Vec<f64> = window.functions.iter().map(|of| of.work).collect();
    for row in &mut window.costs {
        for (cost, work) in row.iter_mut().zip(&work) {
            *cost = cost.map(|_| Cost { cpu: *work, hold: *work, most: f64::INFINITY });
        }
    }
    window.nodes.iter_mut().for_each(|node| node.memory = f64::INFINITY);
    window.links.iter_mut().for_each(|link| link.bandwidth = None);
    window
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_bound_is_reached_by_a_division_that_keeps_every_limit_and_by_no_greedy_one_exceeded(
        window in any(),
        turn in proptest::collection::vec(0_usize..3, 3..9),
    ) {
        for goal in GOALS {
            let best = best(&window, goal).unwrap_or_else(|error| panic!("{error}"));
            keeps_every_limit(&window, &best.division);
            same(best.division.served(&window, goal), best.value);
            at_least(best.value, best.ceiling);
            prop_assert!(best.ceiling <= window.asked(goal) * (1.0 + DIGITS));
            let greedy = greedy(&window, goal, &turn);
            keeps_every_limit(&window, &greedy);
            prop_assert!(greedy.served(&window, goal) <= best.ceiling * (1.0 + 1e-9));
        }
    }

    #[test]
    fn where_processors_alone_bind_the_bound_of_work_is_the_least_cut(window in any()) {
        let window = processors_alone(window);
        prop_assume!(window.nodes.len() * window.functions.len() <= 10);
        same(bound(&window, Goal::Work), least_cut(&window));
    }

    #[test]
    fn another_link_never_lowers_the_bound(
        window in any(), delay in 0.001..0.1_f64, bandwidth in proptest::option::of(1e4..1e8), at in 0_usize..20,
    ) {
        let mut more = window.clone();
        let there = |link: &Link| window.links.iter().any(|other| (other.from, other.to) == (link.from, link.to));
        let mut new = window.fully_linked(|_, _| delay).links;
        new.retain(|link| !there(link));
        // Nothing is added where all are joined already: then the bound must be the same.
        more.links.extend(new.get(at % new.len().max(1)).map(|link| Link { bandwidth, ..*link }));
        GOALS.iter().for_each(|goal| at_least(bound(&more, *goal), bound(&window, *goal)));
    }

    #[test]
    fn more_of_a_resource_never_lowers_the_bound(window in any(), at in 0_usize..5, factor in 1.0..4.0_f64) {
        let mut more = window.clone();
        let at = at % window.nodes.len();
        more.nodes[at].cores *= factor;
        more.nodes[at].memory *= factor;
        more.costs[at].iter_mut().flatten().for_each(|cost| cost.most *= factor);
        GOALS.iter().for_each(|goal| at_least(bound(&more, *goal), bound(&window, *goal)));
    }

    #[test]
    fn a_later_deadline_never_lowers_the_bound(window in any(), factor in 1.0..4.0_f64) {
        let mut more = window.clone();
        more.functions.iter_mut().for_each(|of| of.deadline *= factor);
        GOALS.iter().for_each(|goal| at_least(bound(&more, *goal), bound(&window, *goal)));
    }

    #[test]
    fn twice_the_demand_on_twice_the_federation_serves_twice_as_much(window in any(), factor in 1e-3..1e3_f64) {
        let mut scaled = window.clone();
        scaled.demand.iter_mut().flatten().for_each(|rate| *rate *= factor);
        scaled.costs.iter_mut().flatten().flatten().for_each(|cost| cost.most *= factor);
        scaled.nodes.iter_mut().for_each(|node| (node.cores, node.memory) = (node.cores * factor, node.memory * factor));
        // A link that carries more is also crossed sooner: so links have no limit here.
        scaled.links.iter_mut().for_each(|link| link.bandwidth = None);
        let mut window = window;
        window.links.iter_mut().for_each(|link| link.bandwidth = None);
        GOALS.iter().for_each(|goal| same(bound(&scaled, *goal), factor * bound(&window, *goal)));
    }

    #[test]
    fn the_least_forwarding_serves_the_same_and_takes_no_longer(window in any()) {
        for goal in GOALS {
            let best = best(&window, goal).unwrap_or_else(|error| panic!("{error}"));
            let least = least_forwarding(&window, goal, best.value).unwrap_or_else(|error| panic!("{error}"));
            keeps_every_limit(&window, &least);
            at_least(least.served(&window, goal), best.value);
            let (shorter, longer) = (least.delay(&window), best.division.delay(&window));
            prop_assert!(shorter <= longer * (1.0 + DIGITS) + 1e-6, "{shorter} s a second, {longer} are enough");
        }
    }

    #[test]
    fn one_large_node_serves_at_least_as_much_as_the_federation(window in any()) {
        let everyone = window.fully_linked(|_, _| 0.0);
        GOALS.iter().for_each(|goal| at_least(bound(&window.pooled(), *goal), bound(&everyone, *goal)));
    }

    #[test]
    fn one_large_node_serves_as_much_as_a_federation_of_equals_without_distances(window in any()) {
        let mut window = processors_alone(window);
        let costs: Vec<Option<Cost>> =
            window.functions.iter().map(|of: &Function| Some(Cost { cpu: of.work, hold: of.work, most: f64::INFINITY })).collect();
        window.costs.iter_mut().for_each(|row| row.clone_from(&costs));
        let everyone = window.fully_linked(|_, _| 0.0);
        GOALS.iter().for_each(|goal| same(bound(&window.pooled(), *goal), bound(&everyone, *goal)));
    }
}
