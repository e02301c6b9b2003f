use dfaas_control::{Message, NodeId};

use crate::overlay::Order;

/// What has to follow from something that the federation learnt.
#[derive(Debug, Default, PartialEq)]
pub struct Effects {
    /// For the overlay.
    pub orders: Vec<Order>,
    /// The peers are others than before, or have other functions: decide anew.
    pub peers_changed: bool,
    /// For the strategy, each from the peer that is named.
    pub messages: Vec<(NodeId, Message)>,
}
