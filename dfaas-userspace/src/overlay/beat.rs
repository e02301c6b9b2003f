use std::net::IpAddr;

use dfaas_control::Message;
use serde::{Deserialize, Serialize};

/// A random number that comes back only from who received it.
pub type Nonce = [u8; 16];

/// What one agent tells another once a period, and at once when something changes.
///
/// A beat is the sender's whole word: each replaces the one before, and the receiver may miss any of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Grows with each start of the sender's agent.
    pub incarnation: u64,
    /// Grows with each beat of one incarnation.
    pub sequence: u64,
    /// The receiver's incarnation as the sender knows it; 0: not at all.
    pub known: u64,
    /// Milliseconds between the sender's beats.
    pub period_ms: u32,
    /// The sender goes: it takes nothing any more and its beats end.
    pub leaving: bool,
    /// The sender takes invocations from the receiver at its data port.
    pub admits: bool,
    /// Digest of the sender's card.
    pub digest: u64,
    /// Digest of the receiver's card as the sender holds it; 0: it holds none. A sender repeats its card until the
    /// receiver has it.
    pub seen: u64,
    /// The sender's card, for receivers that do not have it yet.
    pub card: Option<Card>,
    /// The last nonce that came from the receiver to the sender's data port: proof that the sender is there.
    pub nonce: Option<Nonce>,
    /// What the sender's strategy has to say to the receiver.
    pub message: Option<Message>,
}

/// What changes seldom of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Its name.
    pub name: String,
    /// Its region; may be empty.
    pub region: String,
    /// Where its data port is, if not at the address from which it talks.
    pub data_address: Option<IpAddr>,
    /// Port where invocations from peers arrive.
    pub data_port: u16,
    /// Canonical names of the functions that it serves for peers, sorted.
    pub functions: Vec<String>,
}
