use dfaas_sim::bound::{Best, Comparison, Division, Goal, Link, Node, Window, best, least_forwarding};

use crate::checker::keeps_every_limit;
use crate::towns::{cloudnet, function, joined, node, window};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-4 * expected.abs().max(1e-3), "{found}, expected {expected}");
}

/// The bound, and the division that reaches it with the least forwarding.
fn solved(window: &Window, goal: Goal) -> (Best, Division) {
    let best = best(window, goal).expect("a bound");
    keeps_every_limit(window, &best.division);
    assert!(best.value <= best.ceiling);
    let least = least_forwarding(window, goal, best.value).expect("a division");
    keeps_every_limit(window, &least);
    (best, least)
}

#[test]
fn a_node_with_too_much_sends_the_rest_to_its_neighbour() {
    // 0.1 s each: one node serves 20 a second, the other 10 besides its own 5.
    let town =
        window(vec![node(2.0), node(1.5)], vec![function(0.1)], &[&[28.0], &[5.0]], joined(&[(0, 1)], 0.01));
    let (best, least) = solved(&town, Goal::Requests);
    close(best.ceiling, 33.0);
    close(least.rate_at(0, 0), 20.0);
    close(least.rate_at(1, 0), 13.0);
    close(least.forwarded(), 8.0);
    close(least.delay(&town), 0.08);
    close(least.cores_used(&town, 1), 1.3);
}

#[test]
fn what_no_neighbour_can_take_is_lost() {
    let town =
        window(vec![node(2.0), node(1.5)], vec![function(0.1)], &[&[48.0], &[5.0]], joined(&[(0, 1)], 0.01));
    let (best, least) = solved(&town, Goal::Requests);
    close(best.ceiling, 35.0);
    close(least.served(&town, Goal::Requests), 35.0);
    close(least.share_served(&town, 1, 0), 1.0);
    close(least.share_served(&town, 0, 0), 30.0 / 48.0);
}

#[test]
fn the_federation_of_cloudnet_2021_serves_45_a_second_and_10_of_them_at_the_node_that_users_came_to() {
    let (best, least) = solved(&cloudnet(45.0), Goal::Requests);
    close(best.ceiling, 45.0);
    close(least.rate_at(0, 0), 10.0);
    close(least.forwarded(), 35.0);
    let (best, least) = solved(&cloudnet(60.0), Goal::Requests);
    close(best.ceiling, 50.0);
    close(least.rate_at(1, 0), 16.0);
    close(least.rate_at(2, 0), 24.0);
}

#[test]
fn a_node_beyond_the_deadline_serves_nobody_else() {
    let mut town = cloudnet(45.0);
    // 0.95 s on the way and 0.1 s of service are later than 1 s.
    town.links.iter_mut().filter(|link| link.to == 2).for_each(|link| link.delay = 0.95);
    close(solved(&town, Goal::Requests).0.ceiling, 26.0);
    town.links.iter_mut().filter(|link| link.to == 2).for_each(|link| link.delay = 0.89);
    close(solved(&town, Goal::Requests).0.ceiling, 45.0);
}

#[test]
fn memory_bounds_what_is_held_at_one_time() {
    // An instance takes 64 MB and two invocations of 0.1 s: 20 a second. 96 MB hold one and a half.
    let of = dfaas_sim::bound::Function { concurrency: 2.0, memory: 64e6, ..function(0.1) };
    let small = Node { memory: 96e6, ..node(8.0) };
    let town = window(vec![small], vec![of], &[&[50.0]], Vec::new());
    let (best, least) = solved(&town, Goal::Requests);
    close(best.ceiling, 30.0);
    close(least.instances(&town, 0, 0), 1.5);
}

#[test]
fn a_link_bounds_what_is_forwarded_by_its_bytes_and_its_time_counts_for_the_deadline() {
    let of = dfaas_sim::bound::Function { payload: 1e5, ..function(0.1) };
    let mut town = window(vec![node(1.0), node(9.0)], vec![of], &[&[50.0], &[0.0]], Vec::new());
    let link = |bandwidth| vec![Link { from: 0, to: 1, delay: 0.01, bandwidth: Some(bandwidth) }];
    // 0.7 MB a second carry 7 invocations.
    town.links = link(7e5);
    let (best, least) = solved(&town, Goal::Requests);
    close(best.ceiling, 17.0);
    close(least.delay(&town), 7.0 * (0.01 + 1.0 / 7.0));
    // Of 0.1 MB a second each takes a second to cross.
    town.links = link(1e5);
    close(solved(&town, Goal::Requests).0.ceiling, 10.0);
}

#[test]
fn a_limit_of_a_function_at_a_node_holds_whatever_its_processors_could_do() {
    // The federation of CloudNet 2021 by labels: as many processors as anybody likes, and 10, 16 and 24 a second.
    let mut town = cloudnet(60.0);
    for (index, most) in [10.0, 16.0, 24.0].into_iter().enumerate() {
        town.nodes[index].cores = 100.0;
        town.costs[index][0] = town.costs[index][0].map(|cost| dfaas_sim::bound::Cost { most, ..cost });
    }
    let (best, least) = solved(&town, Goal::Requests);
    close(best.ceiling, 50.0);
    close(least.rate_at(2, 0), 24.0);
    close(solved(&town.pooled(), Goal::Requests).0.ceiling, 50.0);
}

#[test]
fn requests_prefer_what_is_cheap_and_work_does_not_care() {
    // One processor, 10 a second of 0.02 s and 10 a second of 0.1 s: 1.2 processors.
    let town = window(vec![node(1.0)], vec![function(0.02), function(0.1)], &[&[10.0, 10.0]], Vec::new());
    let (requests, least) = solved(&town, Goal::Requests);
    close(requests.ceiling, 18.0);
    close(least.rate_at(0, 0), 10.0);
    close(least.rate_at(0, 1), 8.0);
    close(solved(&town, Goal::Work).0.ceiling, 1.0);
}

#[test]
fn the_function_that_is_worth_more_is_served() {
    let dear = dfaas_sim::bound::Function { value: 10.0, ..function(0.1) };
    let town = window(vec![node(1.0)], vec![function(0.1), dear], &[&[10.0, 4.0]], Vec::new());
    let (best, least) = solved(&town, Goal::Value);
    close(best.ceiling, 46.0);
    close(least.rate_at(0, 1), 4.0);
}

#[test]
fn a_part_of_the_processors_can_be_kept_free() {
    let town = window(vec![Node { usable: 0.8, ..node(2.0) }], vec![function(0.1)], &[&[28.0]], Vec::new());
    close(solved(&town, Goal::Requests).0.ceiling, 16.0);
}

#[test]
fn the_way_that_takes_less_time_is_taken_first() {
    let links = [(1, 0.03), (2, 0.01)].map(|(to, delay)| Link { from: 0, to, delay, bandwidth: None });
    let town = window(vec![node(1.0); 3], vec![function(0.1)], &[&[24.0], &[0.0], &[0.0]], links.to_vec());
    let (_, least) = solved(&town, Goal::Requests);
    close(least.rate_at(0, 0), 10.0);
    close(least.rate_at(1, 0), 4.0);
    close(least.rate_at(2, 0), 10.0);
}

#[test]
fn where_nobody_asks_or_nobody_can_serve_the_best_is_nothing() {
    for town in
        [Window::default(), cloudnet(0.0), window(vec![node(0.0)], vec![function(0.1)], &[&[3.0]], vec![])]
    {
        let (best, least) = solved(&town, Goal::Requests);
        assert_eq!((best.value, best.ceiling), (0.0, 0.0));
        assert_eq!(least, Division::default());
    }
}

#[test]
fn links_to_few_cost_what_the_others_could_have_served() {
    // A chain: the first reaches the second only.
    let mut town = cloudnet(45.0);
    town.links = joined(&[(0, 1), (1, 2)], 0.002);
    let everyone = best(&town.fully_linked(|_, _| 0.002), Goal::Requests).expect("a bound");
    close(everyone.ceiling, 45.0);
    close(best(&town.pooled(), Goal::Requests).expect("a bound").ceiling, 45.0);
    let neighbours = best(&town, Goal::Requests).expect("a bound").ceiling;
    let mut sum = Comparison::default();
    sum.add(&Comparison { served: 13.0, neighbours, everyone: everyone.ceiling });
    close(sum.partial_view(), 26.0 / 45.0);
    close(sum.price_of_decentralisation(), 0.5);
}
