use dfaas_control::NodeId;
use dfaas_sim::techniques::{AuctionWord, Bid, Offer, Word};
use proptest::prelude::*;

use crate::host::{FUNCA, Host, function};

fn of(rate: f64, price: f64) -> Offer {
    Offer { function: FUNCA, rate, price }
}

fn offers(offer: Offer) -> Word {
    Word::Auction(AuctionWord { offers: vec![offer], ..AuctionWord::default() })
}

fn bids(bid: Bid) -> Word {
    Word::Auction(AuctionWord { bids: vec![bid], ..AuctionWord::default() })
}

fn said(host: &Host, peer: u64) -> AuctionWord {
    match host.said.get(&NodeId(peer)) {
        Some(Word::Auction(word)) => word.clone(),
        other => panic!("no word of an auction: {other:?}"),
    }
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
}

#[test]
fn a_seller_offers_what_its_users_leave_for_nothing_at_first() {
    let mut host = Host::new("auction", function(4.0, 16.0), 2);
    host.tick();
    assert_eq!(said(&host, 2).offers, [of(12.0, 0.0)]);
    assert_eq!(said(&host, 3).offers, [of(12.0, 0.0)]);
    assert_eq!(host.funca().peers_rate, Some(12.0));
}

#[test]
fn a_buyer_bids_a_little_more_than_the_price_for_parts_by_what_is_left_of_the_worth() {
    let mut host = Host::new("auction", function(45.0, 10.0), 2);
    host.hear(2, &offers(of(30.0, 0.2)));
    host.hear(3, &offers(of(30.0, 0.7)));
    host.tick();
    // 35 are missing; utilities are 0.8 and 0.3.
    let weight = 0.8_f64.exp() / (0.8_f64.exp() + 0.3_f64.exp());
    let (near, far) = (said(&host, 2).bids[0], said(&host, 3).bids[0]);
    close(near.rate, 35.0 * weight);
    close(near.price, 0.21);
    close(far.rate, 35.0 * (1.0 - weight));
    assert_eq!(host.percent(), [(1, 100.0)].into(), "nothing is bought yet");
}

#[test]
fn a_buyer_bids_for_no_more_than_is_offered_and_nothing_at_all_above_the_worth() {
    let mut host = Host::new("auction", function(45.0, 10.0), 2);
    host.hear(2, &offers(of(3.0, 0.2)));
    host.hear(3, &offers(of(30.0, 1.0)));
    host.tick();
    close(said(&host, 2).bids[0].rate, 3.0);
    assert!(said(&host, 3).bids.is_empty());
}

#[test]
fn the_highest_bid_is_served_first_and_the_price_follows_the_lowest_that_got_something() {
    let mut host = Host::new("auction", function(4.0, 16.0), 3);
    host.hear(2, &bids(of(8.0, 0.05)));
    host.hear(3, &bids(of(8.0, 0.11)));
    host.hear(4, &bids(of(8.0, 0.01)));
    host.tick();
    close(said(&host, 3).sold[0].rate, 8.0);
    close(said(&host, 2).sold[0].rate, 4.0);
    assert!(said(&host, 4).sold.is_empty());
    // All 16 are used, 0.1 above the target: 0.05 + 0.5 x 0.1.
    close(said(&host, 2).sold[0].price, 0.1);
    assert!(said(&host, 4).offers.is_empty(), "nothing is left");
}

#[test]
fn equal_bids_share_what_there_is() {
    let mut host = Host::new("auction", function(4.0, 16.0), 2);
    host.hear(2, &bids(of(10.0, 0.01)));
    host.hear(3, &bids(of(30.0, 0.01)));
    host.tick();
    close(said(&host, 2).sold[0].rate, 3.0);
    close(said(&host, 3).sold[0].rate, 9.0);
}

#[test]
fn a_price_falls_by_a_fifth_while_nobody_buys() {
    let mut host = Host::new("auction", function(0.0, 10.0), 2);
    host.hear(2, &bids(of(10.0, 0.5)));
    host.tick();
    close(said(&host, 2).sold[0].price, 0.55);
    let silent = Word::Auction(AuctionWord::default());
    host.hear(2, &silent);
    host.tick();
    assert_eq!(said(&host, 2).sold.len(), 1, "what was sold a moment ago may not have been heard of yet");
    host.tick();
    close(said(&host, 2).offers[0].price, 0.55 * 0.8 * 0.8);
}

#[test]
fn what_was_bought_is_used_at_once_and_never_faster_than_it_was_sold() {
    let mut host = Host::new("auction", function(45.0, 10.0), 2);
    let sold = |rate| Word::Auction(AuctionWord { sold: vec![of(rate, 0.1)], ..AuctionWord::default() });
    host.hear(2, &sold(12.0));
    host.hear(3, &sold(24.0));
    host.tick();
    assert_eq!(host.percent(), [(2, 33.33), (3, 66.67)].into());
    assert_eq!(host.funca().peer_rate, [(NodeId(2), 12.0), (NodeId(3), 24.0)].into());
    assert!(host.funca().local_first);
    // 36 were bought and 35 are needed.
    close(said(&host, 2).kept[0].rate, 12.0 * 35.0 / 36.0);
}

/// Words that each node says reach the others before these tick.
struct Federation(Vec<Host>);

impl Federation {
    /// Nodes whose users ask for so much of so much.
    fn new(nodes: &[(f64, f64)]) -> Self {
        let peers = nodes.len() as u64 - 1;
        Self(nodes.iter().map(|(asked, most)| Host::new("auction", function(*asked, *most), peers)).collect())
    }

    /// To node `a`, node `b` is the peer of this number.
    fn number(a: usize, b: usize) -> u64 {
        if b < a { b as u64 + 2 } else { b as u64 + 1 }
    }

    fn round(&mut self) {
        for a in 0..self.0.len() {
            self.0[a].tick();
            let sold: f64 = self.0[a]
                .said
                .values()
                .map(|word| match word {
                    Word::Auction(word) => word.sold.iter().map(|sold| sold.rate).sum::<f64>(),
                    other => panic!("{other:?}"),
                })
                .sum();
            let function = self.0[a].measured.functions[&FUNCA];
            let spare = (function.max_rate.unwrap_or(0.0) - function.user_rate).max(0.0);
            assert!(sold <= spare * (1.0 + 1e-9), "node {a} has sold {sold} of {spare}");
            let said = self.0[a].said.clone();
            for b in (0..self.0.len()).filter(|b| *b != a) {
                self.0[b].hear(Self::number(b, a), &said[&NodeId(Self::number(a, b))]);
            }
        }
    }

    fn bought(&self, node: usize) -> f64 {
        self.0[node].funca().peer_rate.values().sum()
    }
}

#[test]
fn in_the_federation_of_cloudnet_2021_the_overloaded_node_buys_what_it_lacks_and_keeps_it() {
    let mut federation = Federation::new(&[(45.0, 10.0), (0.0, 16.0), (0.0, 24.0)]);
    (0..6).for_each(|_| federation.round());
    for _ in 0..50 {
        federation.round();
        assert!((federation.bought(0) - 35.0).abs() < 1e-6, "{}", federation.bought(0));
    }
    // Its users leave: nothing is bought any more.
    federation.0[0].ask(5.0);
    (0..4).for_each(|_| federation.round());
    assert_eq!(federation.bought(0), 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn nobody_ever_sells_more_than_its_users_leave_nor_buys_what_it_does_not_lack(
        nodes in proptest::collection::vec((0.0..100.0_f64, 1.0..60.0_f64), 2..6),
        changes in proptest::collection::vec((0_usize..6, 0.0..100.0_f64), 0..20),
    ) {
        let mut federation = Federation::new(&nodes);
        for (node, rate) in changes {
            let node = node % nodes.len();
            federation.0[node].ask(rate);
            federation.round();
        }
        (0..6).for_each(|_| federation.round());
        for (node, host) in federation.0.iter().enumerate() {
            let function = host.measured.functions[&FUNCA];
            let lacks = (function.user_rate - function.max_rate.unwrap_or(0.0)).max(0.0);
            prop_assert!(federation.bought(node) <= lacks + 1e-6, "node {node} lacks {lacks}");
        }
    }
}
