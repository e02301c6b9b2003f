//! The same requests through a node that steers and through a plain proxy before the same gateway: the same answers, in
//! the same order, and connections that end in the same way. And what follows HTTP on a connection.
//!
//! `DFAAS_SEQUENCES` says how many sequences (1,500), `DFAAS_SEED` which.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod client;
mod gateway;
mod heard;
mod make;
mod run;
mod sequence;
mod site;
#[path = "../kept/steering.rs"]
mod steering;
mod upgrades;

use dfaas_tests::Family;

use crate::run::{number, same_answers};

fn sequences() -> usize {
    number("DFAAS_SEQUENCES", 1_500)
}

#[test]
fn a_node_that_shares_over_ipv4_answers_as_a_plain_proxy_does() {
    same_answers(Family::Both, sequences() / 2, 0);
}

#[test]
fn a_node_that_shares_over_ipv6_answers_as_a_plain_proxy_does() {
    same_answers(Family::BothOverV6, sequences() / 2, 0);
}

#[test]
fn a_node_answers_as_a_plain_proxy_does_where_one_packet_in_a_hundred_is_lost() {
    same_answers(Family::Both, sequences() / 10, 1);
}

#[test]
fn a_node_answers_as_a_plain_proxy_does_where_one_packet_in_twenty_is_lost() {
    same_answers(Family::BothOverV6, sequences() / 20, 5);
}
