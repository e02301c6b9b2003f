use proptest::prelude::*;

use super::rng;
use crate::network::*;

#[test]
fn ten_nodes_with_few_links_are_connected_in_every_way_but_as_drawn() {
    let connected = |connect, seed| erdos_renyi(10, 0.1, connect, &mut rng(seed)).map(|g| g.is_connected());
    for seed in 0..50 {
        for connect in [Connect::Forward, Connect::Bridge, Connect::Reject { attempts: 100_000 }] {
            assert_eq!(connected(connect, seed), Ok(true), "seed {seed}, {connect:?}");
        }
    }
    // 4.5 links are expected, and nine are needed.
    let as_drawn = (0..50).filter(|seed| connected(Connect::AsDrawn, *seed) == Ok(true)).count();
    assert!(as_drawn < 5, "{as_drawn} of 50");
}

#[test]
fn drawing_until_connected_gives_up_and_says_how_often_it_tried() {
    let error = erdos_renyi(100, 0.001, Connect::Reject { attempts: 20 }, &mut rng(1)).unwrap_err();
    assert_eq!(error, NetworkError::NotConnected { attempts: 20, nodes: 100 });
}

#[test]
fn the_number_of_links_is_binomial() {
    let pairs = 200.0 * 199.0 / 2.0;
    let links = erdos_renyi(200, 0.3, Connect::AsDrawn, &mut rng(7)).unwrap().links().count() as f64;
    let deviation = (pairs * 0.3_f64 * 0.7).sqrt();
    assert!((links - pairs * 0.3).abs() < 5.0 * deviation, "{links} links of {pairs}");
}

#[test]
fn without_probability_only_the_links_that_connect_are_left() {
    for connect in [Connect::Forward, Connect::Bridge] {
        let graph = erdos_renyi(30, 0.0, connect, &mut rng(3)).unwrap();
        assert_eq!((graph.links().count(), graph.is_connected()), (29, true), "{connect:?}");
    }
    assert_eq!(erdos_renyi(6, 1.0, Connect::AsDrawn, &mut rng(3)).unwrap(), mesh(6));
    assert!(erdos_renyi(6, 1.1, Connect::AsDrawn, &mut rng(3)).is_err());
    assert!(erdos_renyi(6, f64::NAN, Connect::AsDrawn, &mut rng(3)).is_err());
}

#[test]
fn nodes_in_two_towns_are_joined_by_the_shortest_road() {
    let place = |x, y| Position { x, y };
    let towns = [place(0.0, 0.0), place(1.0, 0.0), place(9.0, 0.0), place(10.0, 0.0)];
    let apart = geometric(&towns, 1.5, Connect::AsDrawn).unwrap();
    assert_eq!(apart.links().collect::<Vec<_>>(), [(0, 1), (2, 3)]);
    let joined = geometric(&towns, 1.5, Connect::Bridge).unwrap();
    assert_eq!(joined.links().collect::<Vec<_>>(), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(geometric(&towns, 1.5, Connect::Forward).unwrap(), joined);
    assert!(geometric(&towns, 1.5, Connect::Reject { attempts: 1 }).is_err());
    assert!(geometric(&towns, 8.0, Connect::Reject { attempts: 1 }).is_ok());
}

#[test]
fn near_neighbours_are_the_nearest_and_random_ones_come_on_top() {
    let places: Vec<Position> = (0..20).map(|at| Position { x: f64::from(at), y: 0.0 }).collect();
    let rtt = RttMatrix::from_positions(&places, 0.001, 0.0001).unwrap();
    let near = near_and_random(&rtt, 2, 0, &mut rng(1));
    assert_eq!(near.neighbours(10), [9, 11]);
    let both = near_and_random(&rtt, 2, 3, &mut rng(1));
    assert!(near.links().all(|(from, to)| both.is_linked(from, to)));
    assert!((0..20).all(|node| both.neighbours(node).len() >= 5));
    assert_eq!(near_and_random(&rtt, 12, 40, &mut rng(1)), mesh(20));
}

#[test]
fn positions_fill_the_square_and_nothing_else() {
    let places = scattered(1000, 50.0, &mut rng(5)).unwrap();
    assert!(places.iter().all(|place| (0.0..50.0).contains(&place.x) && (0.0..50.0).contains(&place.y)));
    let mean = places.iter().map(|place| place.x + place.y).sum::<f64>() / 2000.0;
    assert!((mean - 25.0).abs() < 2.0, "{mean}");
}

proptest! {
    #[test]
    fn graphs_are_symmetric_without_loops_and_the_same_for_the_same_seed(
        nodes in 0..40_usize, p in 0.0..=1.0_f64, seed in any::<u64>(),
    ) {
        for connect in [Connect::AsDrawn, Connect::Forward, Connect::Bridge] {
            let graph = erdos_renyi(nodes, p, connect, &mut rng(seed)).unwrap();
            prop_assert_eq!(&graph, &erdos_renyi(nodes, p, connect, &mut rng(seed)).unwrap());
            prop_assert!(connect == Connect::AsDrawn || graph.is_connected());
            for node in 0..nodes {
                prop_assert!(!graph.is_linked(node, node));
                prop_assert!(graph.neighbours(node).windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(graph.neighbours(node).iter().all(|to| graph.is_linked(*to, node)));
            }
            prop_assert_eq!(&Graph::from_links(nodes, graph.links()).unwrap(), &graph);
        }
    }
}
