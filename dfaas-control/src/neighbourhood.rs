//! With which nodes of a federation a node talks: a bounded number, most of them near and some drawn at random, so that
//! what it sends and keeps does not depend on how many nodes there are.

mod candidate;
mod choose;
mod draw;
mod patience;
mod surplus;

use std::collections::BTreeSet;

pub use candidate::{Candidate, Link};
pub use choose::Choice;
use patience::Patience;

use crate::id::Time;

/// Most links of a node: those that it seeks and those that others seek with it.
pub const MOST_NEIGHBOURS: usize = 24;

/// One in so many links that a node wants is drawn at random. With a hot region and nearest links alone a fifth of the
/// work finds no place; with a quarter of the links drawn all of it does.
const DRAWN: usize = 4;

/// Chooses neighbours. Links are mutual: both ends count them, and either may end one.
///
/// `K` is how the host names nodes. Nothing here is random by itself: the draw is by a hash of `seed` and a node's
/// number (highest random weight, Thaler and Ravishankar 1998), so it stays while nodes come and go, it is the same
/// again after a partition, and nobody who does not know the seed can make himself be drawn.
#[derive(Debug)]
pub struct Neighbourhood<K> {
    wanted: usize,
    seed: u64,
    pinned: BTreeSet<K>,
    banned: BTreeSet<K>,
    /// Those of the draw, linked or being sought.
    drawn: BTreeSet<K>,
    /// When the draw, a swap for a nearer one, and the end of a surplus link may be looked at again.
    redraw: Time,
    swap: Time,
    prune: Time,
    /// How many swaps there were.
    swaps: u32,
    /// A nearer one that is being sought, and whose place it gets.
    swapping: Option<(K, K)>,
    patience: Patience,
}

impl<K: Ord + Copy> Neighbourhood<K> {
    /// A node that wants so many links, 1 to [`MOST_NEIGHBOURS`], always those to `pinned` and never one to `banned`.
    /// `seed` should be secret where others are not trusted.
    pub fn new(wanted: usize, seed: u64, pinned: BTreeSet<K>, banned: BTreeSet<K>) -> Self {
        Self {
            wanted: wanted.clamp(1, MOST_NEIGHBOURS),
            seed,
            pinned: &pinned - &banned,
            banned,
            drawn: BTreeSet::new(),
            redraw: Time::default(),
            swap: Time::default(),
            prune: Time::default(),
            swaps: 0,
            swapping: None,
            patience: Patience::default(),
        }
    }

    /// How many links it seeks.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Whether it is of use to the other end that the link to this node stays: drawn or pinned here.
    pub fn keeps(&self, node: &K) -> bool {
        self.drawn.contains(node) || self.pinned.contains(node)
    }

    /// Whether there is room for a node that seeks a link, beside so many links.
    pub fn accepts(&self, node: &K, links: usize) -> bool {
        !self.banned.contains(node) && links < MOST_NEIGHBOURS
    }

    /// Whether a link to this node is always wanted.
    pub fn is_pinned(&self, node: &K) -> bool {
        self.pinned.contains(node)
    }

    /// Whether there is never a link to this node.
    pub fn is_banned(&self, node: &K) -> bool {
        self.banned.contains(node)
    }
}
