use dfaas_sim::bound::{BoundError, Goal, Link, Window, WindowError, best, least_forwarding};

use crate::towns::cloudnet;

fn refused(change: impl Fn(&mut Window)) -> String {
    let mut town = cloudnet(45.0);
    change(&mut town);
    let error = best(&town, Goal::Requests).expect_err("it cannot be meant");
    let again = least_forwarding(&town, Goal::Requests, 1.0).expect_err("nor here");
    assert_eq!(again.to_string(), error.to_string());
    assert!(matches!(error, BoundError::Window(_)));
    error.to_string()
}

#[test]
fn tables_of_other_shapes_are_refused_with_what_they_must_be() {
    assert_eq!(refused(|town| town.demand.truncate(2)), "demand: 2 entries where there must be 3");
    assert_eq!(refused(|town| town.costs[1].clear()), "costs of a node: 0 entries where there must be 1");
}

#[test]
fn numbers_that_cannot_be_are_refused_with_their_place() {
    assert_eq!(refused(|town| town.demand[1][0] = -1.0), "demand of function 0 at node 1 cannot be -1");
    assert_eq!(refused(|town| town.nodes[2].cores = f64::NAN), "cores of node 2 cannot be NaN");
    assert_eq!(refused(|town| town.nodes[2].cores = f64::INFINITY), "cores of node 2 cannot be inf");
    assert_eq!(refused(|town| town.functions[0].concurrency = 0.0), "concurrency of function 0 cannot be 0");
    assert_eq!(refused(|town| town.links[0].bandwidth = Some(0.0)), "bandwidth from node 0 to 1 cannot be 0");
}

#[test]
fn links_must_join_two_nodes_that_are_there_and_once() {
    let link = |from, to| Link { from, to, delay: 0.0, bandwidth: None };
    assert_eq!(refused(|town| town.links.push(link(0, 3))), "link from node 0 to 3, but nodes are 0 to 2");
    let twice = WindowError::LinkTwice { from: 0, to: 1 }.to_string();
    assert_eq!(refused(|town| town.links.push(link(0, 1))), twice);
    assert!(refused(|town| town.links.push(link(1, 1))).contains("joins a node with itself"));
}

#[test]
fn numbers_of_very_different_sizes_are_solved_or_refused_but_never_panic() {
    for scale in [1e-9, 1e-3, 1e3, 1e9, 1e30, 1e200, f64::MIN_POSITIVE, f64::MAX] {
        for change in [
            (|town: &mut Window, scale: f64| town.demand[0][0] = scale) as fn(&mut Window, f64),
            |town, scale| town.nodes[1].cores = scale,
            |town, scale| town.nodes[1].memory = scale,
            |town, scale| town.functions[0].value = scale,
            |town, scale| {
                town.costs[0][0] = town.costs[0][0].map(|cost| dfaas_sim::bound::Cost { cpu: scale, ..cost })
            },
            |town, scale| town.links[0].bandwidth = Some(scale),
        ] {
            let mut town = cloudnet(45.0);
            town.functions[0].memory = 1e6;
            town.functions[0].payload = 1e4;
            change(&mut town, scale);
            let Ok(best) = best(&town, Goal::Value) else { continue };
            assert!(best.value <= best.ceiling * (1.0 + 1e-9), "{best:?}");
        }
    }
}
