use super::rng;
use crate::network::*;

/// A network of a graph, all of whose nodes are ten milliseconds apart.
fn network(graph: Graph) -> Network {
    let nodes = graph.len();
    let rows: Vec<Vec<f64>> =
        (0..nodes).map(|from| (0..nodes).map(|to| if from == to { 0.0 } else { 0.01 }).collect()).collect();
    let node = |at| Node { name: format!("node-{at}"), class: String::new(), cores: 4, position: None };
    Network::new((0..nodes).map(node).collect(), graph, RttMatrix::from_rows(&rows).unwrap()).unwrap()
}

#[test]
fn a_triangle_with_a_tail_is_measured_as_by_hand() {
    let graph = Graph::from_links(4, [(0, 1), (1, 2), (2, 0), (2, 3)]).unwrap();
    let measured = NetworkStatistics::of(&network(graph));
    assert_eq!((measured.nodes, measured.links, measured.components), (4, 4, 1));
    assert_eq!((measured.degree.min, measured.degree.mean, measured.degree.max), (1.0, 2.0, 3.0));
    assert_eq!(measured.diameter, 2);
    // Four pairs are one hop apart, two are two.
    assert!((measured.mean_hops - 8.0 / 6.0).abs() < 1e-12);
    // Nodes 0 and 1: all pairs of neighbours are joined; node 2: one of three; node 3 has one neighbour.
    assert!((measured.clustering - (1.0 + 1.0 + 1.0 / 3.0 + 0.0) / 4.0).abs() < 1e-12);
    assert_eq!((measured.link_rtt_s.mean, measured.pair_rtt_s.max), (0.01, 0.01));
}

#[test]
fn meshes_rings_and_stars_have_their_known_diameters_and_clustering() {
    let of = |graph| NetworkStatistics::of(&network(graph));
    let mesh = of(mesh(9));
    assert_eq!((mesh.diameter, mesh.clustering, mesh.links), (1, 1.0, 36));
    let ring = of(ring(10, 1));
    assert_eq!((ring.diameter, ring.clustering, ring.degree.max), (5, 0.0, 2.0));
    // A ring that reaches two on either side has clustering 3 (k - 2) / 4 (k - 1) with k = 4.
    assert!((of(super::super::ring(20, 2)).clustering - 0.5).abs() < 1e-12);
    let star = of(star(7));
    assert_eq!((star.diameter, star.clustering, star.degree.max), (2, 0.0, 6.0));
    let apart = of(Graph::without_links(3));
    assert_eq!((apart.components, apart.diameter, apart.mean_hops), (3, 0, 0.0));
    assert_eq!(of(Graph::without_links(0)).nodes, 0);
}

#[test]
fn spreads_are_by_nearest_rank() {
    let spread = Spread::of((1..=100).rev().map(f64::from));
    assert_eq!(spread, Spread { min: 1.0, mean: 50.5, median: 50.0, p95: 95.0, max: 100.0 });
    assert_eq!(Spread::of([]), Spread::default());
    assert_eq!(Spread::of([3.0]).p95, 3.0);
}

#[test]
fn times_grow_with_the_distance_and_can_be_stretched_to_a_longest() {
    let places = scattered(30, 100.0, &mut rng(2)).unwrap();
    let rtt = RttMatrix::from_positions(&places, 0.0005, 0.00001).unwrap();
    for from in 0..30 {
        assert_eq!(rtt.get(from, from), 0.0);
        for to in (0..30).filter(|to| *to != from) {
            let expected = 0.0005 + 0.00001 * places[from].distance(places[to]);
            assert!((rtt.get(from, to) - expected).abs() < 1e-15 && rtt.get(from, to) == rtt.get(to, from));
        }
    }
    let stretched = rtt.clone().scaled_to_longest(0.017).unwrap();
    let longest = stretched.rows().flatten().copied().fold(0.0, f64::max);
    assert!((longest - 0.017).abs() < 1e-12);
    assert_eq!(rtt.among(&[3, 1]).unwrap().get(0, 1), rtt.get(3, 1));
    assert!(rtt.among(&[30]).is_err());
}
