use dfaas_control::MOST_NEIGHBOURS;

use crate::world::World;

fn settled(count: usize, sample: usize, rounds: usize) -> World {
    let mut world = World::new(count, sample, 16, 7);
    (0..rounds).for_each(|_| world.round());
    world
}

fn mean_degree(world: &World) -> f64 {
    let up = world.up.iter().filter(|up| **up).count();
    world.links.iter().map(|links| links.len()).sum::<usize>() as f64 / up as f64
}

#[test]
fn a_thousand_nodes_that_each_know_64_make_one_graph_of_bounded_degree() {
    let world = settled(1000, 64, 25);
    assert!(world.is_connected());
    for node in 0..1000 {
        assert!((14..=MOST_NEIGHBOURS).contains(&world.degree(node)), "{node}: {}", world.degree(node));
    }
}

#[test]
fn the_number_of_neighbours_does_not_grow_with_the_federation() {
    let means: Vec<f64> = [20, 50, 400].map(|count| mean_degree(&settled(count, 64, 60))).into();
    println!("mean neighbours with 20, 50 and 400 nodes: {means:.2?}");
    for mean in &means {
        assert!((15.0..=18.0).contains(mean), "{means:?}");
        assert!((mean / means[0] - 1.0).abs() < 0.1, "{means:?}");
    }
}

#[test]
fn links_change_ever_more_rarely_while_nothing_else_changes() {
    let mut world = settled(50, 40, 600);
    let before = world.changes;
    (0..300).for_each(|_| world.round());
    let changed = world.changes - before;
    println!(
        "{changed} links of {} came or went from minute 10 to 15",
        world.links.iter().flatten().count() / 2
    );
    assert!(changed <= 250, "{changed}: one a minute and node at most");
}

#[test]
fn most_neighbours_are_near_and_a_quarter_is_anywhere() {
    let world = settled(150, 100, 150);
    let (mut near, mut all) = (0, 0);
    for node in 0..150 {
        let mut known: Vec<usize> = world.known[node].keys().copied().collect();
        known.sort_by_key(|other| world.rtt(node, *other));
        let nearest = &known[..known.len() / 4];
        all += world.degree(node);
        near += world.links[node].iter().filter(|other| nearest.contains(other)).count();
    }
    let part = near as f64 / all as f64;
    println!("{part:.2} of all links lead to the nearest quarter of who is known");
    assert!((0.5..0.85).contains(&part), "{part}");
}

#[test]
fn half_of_the_nodes_fail_and_the_others_still_make_one_graph() {
    let mut world = settled(200, 100, 30);
    (0..200).step_by(2).for_each(|node| world.fail(node));
    (0..30).for_each(|_| world.round());
    assert!(world.is_connected());
    assert!((1..200).step_by(2).all(|node| (14..=MOST_NEIGHBOURS).contains(&world.degree(node))));
}

#[test]
fn the_same_seed_gives_the_same_graph_and_another_seed_another() {
    let graph = |seed| {
        let mut world = World::new(100, 60, 16, seed);
        (0..40).for_each(|_| world.round());
        world.links
    };
    assert_eq!(graph(1), graph(1));
    assert_ne!(graph(1), graph(2));
}
