//! How long the best division of a window takes to find, by the size of the federation.
//!
//! `cargo run --release -p dfaas-sim --example bound_speed`

use std::time::Instant;

use dfaas_sim::bound::{Cost, Function, Goal, Link, Node, Window, best, least_forwarding};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Nodes of 2, 4 and 6 processors on a square, each joined to the three quarters of its neighbours that are nearest and to
/// others at random; a fifth of them get four times as much as the others.
fn town(nodes: usize, neighbours: usize, functions: usize, utilisation: f64, seed: u64) -> Window {
    let mut random = SmallRng::seed_from_u64(seed);
    let cores: Vec<f64> = (0..nodes).map(|_| [2.0, 4.0, 6.0][random.random_range(0..3)]).collect();
    let places: Vec<(f64, f64)> = (0..nodes).map(|_| (random.random(), random.random())).collect();
    let away = |a: usize, b: usize| (places[a].0 - places[b].0).hypot(places[a].1 - places[b].1);
    let mut links = Vec::new();
    for from in 0..nodes {
        let mut others: Vec<usize> = (0..nodes).filter(|to| *to != from).collect();
        others.sort_by(|a, b| away(from, *a).total_cmp(&away(from, *b)));
        let near = neighbours * 3 / 4;
        for place in near..neighbours {
            others.swap(place, random.random_range(place..nodes - 1));
        }
        let link =
            |to: &usize| Link { from, to: *to, delay: 0.001 + 0.016 * away(from, *to), bandwidth: None };
        links.extend(others[..neighbours].iter().map(link));
    }
    let work =
        |function: usize| [0.008, 0.03, 0.12, 0.25][function % 4] * (1.0 + 0.1 * (function / 4) as f64);
    let hot: Vec<f64> = (0..nodes).map(|_| if random.random_bool(0.2) { 4.0 } else { 1.0 }).collect();
    let unit = utilisation * cores.iter().sum::<f64>() / hot.iter().sum::<f64>() / functions as f64;
    let mut rate =
        |node: usize, function: usize| unit * hot[node] / work(function) * random.random_range(0.5..1.5);
    let demand =
        (0..nodes).map(|node| (0..functions).map(|function| rate(node, function)).collect()).collect();
    let cost = |function| Some(Cost { cpu: work(function), hold: work(function), most: f64::INFINITY });
    let of = |function| Function {
        work: work(function),
        value: 1.0,
        concurrency: 1.0,
        memory: 0.0,
        payload: 0.0,
        deadline: 1.0,
    };
    Window {
        nodes: cores.iter().map(|cores| Node { cores: *cores, usable: 1.0, memory: f64::INFINITY }).collect(),
        functions: (0..functions).map(of).collect(),
        costs: vec![(0..functions).map(cost).collect(); nodes],
        demand,
        links,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("nodes functions load goal      served of asked   gap      best      least forwarding");
    for (nodes, functions) in [(100, 4), (100, 12), (1000, 1)] {
        for utilisation in [0.85, 1.2] {
            for goal in [Goal::Requests, Goal::Work] {
                let window = town(nodes, 17, functions, utilisation, 1);
                let start = Instant::now();
                let best = best(&window, goal)?;
                let found = start.elapsed();
                let start = Instant::now();
                let least = least_forwarding(&window, goal, best.value)?;
                let (forwarded, divided) = (least.forwarded(), start.elapsed());
                let (part, gap) = (best.ceiling / window.asked(goal), 1.0 - best.value / best.ceiling);
                println!(
                    "{nodes:5} {functions:9} {utilisation:4} {:9} {part:10.5} {gap:10.0e} {:6.0} ms {:8.0} ms, {:.3} of all forwarded",
                    format!("{goal:?}"),
                    found.as_secs_f64() * 1e3,
                    divided.as_secs_f64() * 1e3,
                    forwarded / window.asked(Goal::Requests),
                );
            }
        }
    }
    Ok(())
}
