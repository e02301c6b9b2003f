use std::collections::BTreeSet;

use dfaas_common::MAX_PEERS;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Nanos;
use crate::network::{Connect, erdos_renyi};
use crate::scenario::Network;

/// Who is whose neighbour. Links are mutual; a node that has as many as a kernel knows peers takes no more.
pub(super) fn neighbours(
    network: &Network,
    count: usize,
    rtts: &[Nanos],
    random: &mut ChaCha8Rng,
) -> Vec<Vec<usize>> {
    let mut links: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    let mut join = |a: usize, b: usize| {
        let full = |links: &[BTreeSet<usize>], node: usize| links[node].len() >= MAX_PEERS as usize;
        if a != b && !full(&links, a) && !full(&links, b) {
            links[a].insert(b);
            links[b].insert(a);
        }
    };
    if !network.links.is_empty() {
        network.links.iter().for_each(|(a, b)| join(*a, *b));
    } else if let Some(probability) = network.probability {
        // A probability that cannot be meant is an error of the scenario.
        let graph = erdos_renyi(count, probability, Connect::Forward, random);
        graph.iter().for_each(|graph| graph.links().for_each(|(a, b)| join(a, b)));
    } else if network.everybody {
        (0..count).for_each(|a| (0..a).for_each(|b| join(a, b)));
    } else {
        for node in 0..count {
            let mut others: Vec<usize> = (0..count).filter(|other| *other != node).collect();
            others.sort_by_key(|other| (rtts[node * count + other], *other));
            let far = others.split_off(network.near.min(others.len()));
            others.into_iter().for_each(|other| join(node, other));
            let mut far = far;
            far.shuffle(random);
            far.into_iter().take(network.random).for_each(|other| join(node, other));
        }
    }
    links.into_iter().map(|links| links.into_iter().collect()).collect()
}
