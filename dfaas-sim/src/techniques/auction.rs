use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{
    FunctionId, FunctionMeasurements, FunctionPlan, Measurements, NodeId, Options, Random, Target, Time,
};

use super::market::{Bid, Offer, Seller, bids, kept, price, sell};
use super::neighbours::{Heard, limit, overloaded, rate, serving};
use super::plans::{all_here, plan, rest_to};
use super::technique::{Act, AuctionWord, Technique, Word};

/// `auction`: nodes sell what they have left of a function's limit, and those whose users ask for more than it buy, as in
/// the decentralised auction for edge FaaS of FaaS-MADeA (github.com/unimib-datAI/DFaaSOptimizer). Sellers tell what is
/// left and its price, buyers bid by worth, price and round-trip time, sellers take the highest bids and move prices.
///
/// There rounds go on until nothing changes, and all begins anew with the next load. Here each tick is one round: what was
/// sold stays sold as long as the buyer keeps it and the seller's own users do not need it. Neither instances to be started
/// nor fairness between buyers are traded.
#[derive(Debug)]
pub struct Auction {
    lifetime: Duration,
    heard: Heard<AuctionWord>,
    prices: BTreeMap<FunctionId, f64>,
    /// What was sold, by function and buyer, in invocations a second.
    ledger: BTreeMap<FunctionId, BTreeMap<NodeId, Sold>>,
}

/// What a buyer was sold of a function, in invocations a second.
#[derive(Debug, Clone, Copy, Default)]
struct Sold {
    rate: f64,
    /// Of that, what was sold at the last tick: a word that comes now may be older than that.
    new: f64,
}

impl Auction {
    /// A node that has heard nothing yet and sells for nothing.
    pub fn new(options: &Options) -> Self {
        Self {
            lifetime: options.lifetime(),
            heard: Heard::new(options.lifetime()),
            prices: BTreeMap::new(),
            ledger: BTreeMap::new(),
        }
    }

    /// What this node tells each peer, once all functions are bought and sold.
    fn trade(&mut self, measured: &Measurements) -> BTreeMap<NodeId, AuctionWord> {
        let mut words: BTreeMap<NodeId, AuctionWord> =
            measured.peers.keys().map(|node| (*node, AuctionWord::default())).collect();
        self.prices.retain(|id, _| measured.functions.contains_key(id));
        self.ledger.retain(|id, _| measured.functions.contains_key(id));
        for (id, function) in &measured.functions {
            self.buy(*id, function, measured, &mut words);
            self.sell(*id, function, &mut words);
        }
        words
    }

    fn buy(
        &self,
        id: FunctionId,
        function: &FunctionMeasurements,
        measured: &Measurements,
        words: &mut BTreeMap<NodeId, AuctionWord>,
    ) {
        let excess = excess(function);
        let bought = self.bought(id, function, measured);
        let sum: f64 = bought.iter().map(|(_, sold)| sold.rate).sum();
        let part = kept(excess, sum);
        for (node, sold) in bought.into_iter().filter(|_| part > 0.0) {
            words.entry(node).or_default().kept.push(Offer { rate: sold.rate * part, ..sold });
        }
        let seller = |node: NodeId| {
            let offer = find(&self.heard.get(node)?.offers, id)?;
            let rtt = measured.peers.get(&node)?.rtt.map_or(0.0, |rtt| rtt.as_secs_f64());
            Some(Seller { node, offer, rtt })
        };
        let sellers: Vec<Seller> = serving(id, function, measured).into_iter().filter_map(seller).collect();
        for (node, bid) in bids((excess - sum).max(0.0), &sellers) {
            words.entry(node).or_default().bids.push(bid);
        }
    }

    fn sell(
        &mut self,
        id: FunctionId,
        function: &FunctionMeasurements,
        words: &mut BTreeMap<NodeId, AuctionWord>,
    ) {
        let spare = spare(function).filter(|_| function.here && !function.local_only).unwrap_or(0.0);
        let mut sold = self.renewed(id, spare);
        let kept: f64 = sold.values().map(|sold| sold.rate).sum();
        let asked: Vec<(NodeId, Bid)> =
            self.heard.iter().filter_map(|(node, word)| Some((node, find(&word.bids, id)?))).collect();
        let new = sell((spare - kept).max(0.0), &asked);
        for (node, rate) in &new {
            let buyer = sold.entry(*node).or_default();
            *buyer = Sold { rate: buyer.rate + rate, new: *rate };
        }
        let taken: f64 = sold.values().map(|sold| sold.rate).sum();
        let most = limit(function).unwrap_or(f64::INFINITY);
        let before = self.prices.get(&id).copied().unwrap_or(0.0);
        let now = price(before, &asked, &new, (rate(function.user_rate) + taken) / most);
        self.prices.insert(id, now);
        for (node, sold) in &sold {
            words.entry(*node).or_default().sold.push(Offer { function: id, rate: sold.rate, price: now });
        }
        let offer = Offer { function: id, rate: (spare - taken).max(0.0), price: now };
        words.values_mut().filter(|_| offer.rate > 0.0).for_each(|word| word.offers.push(offer));
        self.ledger.insert(id, sold);
    }

    /// What buyers keep of what they were sold; less of each, if this node's own users need it.
    fn renewed(&self, id: FunctionId, spare: f64) -> BTreeMap<NodeId, Sold> {
        let kept = |(node, sold): (&NodeId, &Sold)| {
            let kept = find(&self.heard.get(*node)?.kept, id).map_or(0.0, |kept| kept.rate);
            Some((*node, Sold { rate: kept.max(sold.new).min(sold.rate), new: 0.0 }))
        };
        let mut kept: BTreeMap<NodeId, Sold> =
            self.ledger.get(&id).into_iter().flatten().filter_map(kept).collect();
        let sum: f64 = kept.values().map(|sold| sold.rate).sum();
        if sum > spare {
            kept.values_mut().for_each(|sold| sold.rate *= spare / sum);
        }
        kept.retain(|_, sold| sold.rate > 0.0);
        kept
    }

    /// What this node has bought of a function, and from whom.
    fn bought(
        &self,
        id: FunctionId,
        function: &FunctionMeasurements,
        measured: &Measurements,
    ) -> Vec<(NodeId, Offer)> {
        let bought = |node: NodeId| Some((node, find(&self.heard.get(node)?.sold, id)?));
        serving(id, function, measured).into_iter().filter_map(bought).collect()
    }

    fn of(&self, id: FunctionId, function: &FunctionMeasurements, measured: &Measurements) -> FunctionPlan {
        let peers_rate = spare(function);
        if function.here && !overloaded(function) {
            return FunctionPlan { peers_rate, ..all_here(function) };
        }
        let bought = self.bought(id, function, measured);
        let bought: Vec<(NodeId, f64)> = bought.into_iter().map(|(node, sold)| (node, sold.rate)).collect();
        let plan = rest_to(&bought, function);
        let named = |node: &NodeId| plan.shares.part(Target::Peer(*node)) > 0;
        let peer_rate = bought.into_iter().filter(|(node, _)| named(node)).collect();
        FunctionPlan { peer_rate, peers_rate, ..plan }
    }
}

/// What this node's users leave of a function's limit; `None`: there is no limit, and nothing to sell.
fn spare(function: &FunctionMeasurements) -> Option<f64> {
    Some((limit(function)? - rate(function.user_rate)).max(0.0))
}

/// What users ask for beyond what is served here.
fn excess(function: &FunctionMeasurements) -> f64 {
    let here = if function.here { limit(function).unwrap_or(f64::INFINITY) } else { 0.0 };
    (rate(function.user_rate) - here).max(0.0)
}

/// The offer of a function that can be meant, the first if there are several.
fn find(offers: &[Offer], id: FunctionId) -> Option<Offer> {
    let can_be = |offer: &&Offer| offer.rate > 0.0 && offer.rate.is_finite() && offer.price.is_finite();
    offers.iter().filter(|offer| offer.function == id).find(can_be).copied()
}

impl Technique for Auction {
    fn name(&self) -> &'static str {
        "auction"
    }

    fn on_tick(&mut self, now: Time, measured: &Measurements, _random: &mut dyn Random) -> Vec<Act> {
        self.heard.forget(now, measured);
        let mut acts = vec![plan(measured, self.lifetime, |id, function| self.of(id, function, measured))];
        acts.extend(self.trade(measured).into_iter().map(|(node, word)| Act::Say(node, Word::Auction(word))));
        acts
    }

    fn on_word(&mut self, now: Time, from: NodeId, word: &Word) -> Vec<Act> {
        if let Word::Auction(word) = word {
            self.heard.take(now, from, word.clone());
        }
        Vec::new()
    }
}
