use std::collections::BTreeMap;

use dfaas_control::{FunctionId, NodeId};
use serde::{Deserialize, Serialize};

/// What one invocation a second is worth to whoever has too many.
const WORTH: f64 = 1.0;

/// What a second of round-trip time takes from that.
const LATENCY: f64 = 1.0;

/// By how much a bid is above the price.
const RAISE: f64 = 0.01;

/// The utilisation at which prices stay as they are.
const TARGET: f64 = 0.9;

/// By how much a utilisation 1 above the target raises a price.
const RISE: f64 = 0.5;

/// The part by which a price falls when nobody buys.
const FALL: f64 = 0.2;

/// So much of a function, at this price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The function.
    pub function: FunctionId,
    /// Invocations a second.
    pub rate: f64,
    /// Price of one a second.
    pub price: f64,
}

/// So much of a function is wanted, for this price.
pub type Bid = Offer;

/// What a buyer sees of one seller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seller {
    pub node: NodeId,
    /// What it has left of the function.
    pub offer: Offer,
    /// Round-trip time in seconds.
    pub rtt: f64,
}

/// The part that a buyer keeps of what it has bought: all, or as much as it still needs.
pub(super) fn kept(excess: f64, bought: f64) -> f64 {
    if bought > excess { excess / bought } else { 1.0 }
}

/// What a buyer that lacks `missing` invocations a second bids for at each seller that is worth its price: a part by how
/// much it is worth more than it costs (softmax), and never more than is offered.
pub(super) fn bids(missing: f64, sellers: &[Seller]) -> Vec<(NodeId, Bid)> {
    let utility = |seller: &Seller| WORTH - seller.offer.price - LATENCY * seller.rtt;
    let worth: Vec<(&Seller, f64)> = sellers
        .iter()
        .map(|seller| (seller, utility(seller)))
        .filter(|(_, utility)| *utility > 0.0)
        .collect();
    let all: f64 = worth.iter().map(|(_, utility)| utility.exp()).sum();
    let bid = |(seller, utility): (&Seller, f64)| {
        let rate = (missing * utility.exp() / all).min(seller.offer.rate);
        (seller.node, Bid { rate, price: seller.offer.price + RAISE, ..seller.offer })
    };
    worth.into_iter().map(bid).filter(|(_, bid)| bid.rate > 0.0).collect()
}

/// Sells `rate` invocations a second of a function to those who bid most; those who bid the same share what is left by what
/// they want.
pub(super) fn sell(rate: f64, bids: &[(NodeId, Bid)]) -> BTreeMap<NodeId, f64> {
    let mut order: Vec<&(NodeId, Bid)> = bids.iter().collect();
    order.sort_by(|a, b| b.1.price.total_cmp(&a.1.price));
    let mut left = rate;
    let mut sold = BTreeMap::new();
    for same in order.chunk_by(|a, b| a.1.price.total_cmp(&b.1.price).is_eq()) {
        let wanted: f64 = same.iter().map(|(_, bid)| bid.rate).sum();
        let part = if wanted > left { left / wanted } else { 1.0 };
        let sale = |(node, bid): &&(NodeId, Bid)| (*node, bid.rate * part);
        sold.extend(same.iter().map(sale).filter(|(_, rate)| *rate > 0.0));
        left = (left - wanted * part).max(0.0);
    }
    sold
}

/// The price after a sale: the lowest bid that got something, and more the more the seller's utilisation is above 0.9. If
/// nobody bought it falls by a fifth. Never below 0.
pub(super) fn price(
    before: f64,
    bids: &[(NodeId, Bid)],
    sold: &BTreeMap<NodeId, f64>,
    utilisation: f64,
) -> f64 {
    let got = bids.iter().filter(|(node, _)| sold.contains_key(node));
    let lowest = got.map(|(_, bid)| bid.price).reduce(f64::min);
    let after = lowest.map_or(before * (1.0 - FALL), |lowest| lowest + RISE * (utilisation - TARGET));
    after.max(0.0)
}
