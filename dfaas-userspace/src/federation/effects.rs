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

impl Effects {
    /// Adds an order; see [`add`].
    pub(super) fn order(&mut self, order: Order) {
        add(&mut self.orders, order);
    }
}

/// Adds an order to others that have not been given yet. The newest beat to a node is the only one that counts.
pub(crate) fn add(orders: &mut Vec<Order>, order: Order) {
    if let Order::Beat { to, .. } = &order {
        orders.retain(|earlier| !matches!(earlier, Order::Beat { to: other, .. } if other == to));
    }
    orders.push(order);
}
