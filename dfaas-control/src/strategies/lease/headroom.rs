/// A node sends from this part of its level on, and until its demand has fallen below the other: users that ask for just
/// about the level must not make it a sender and a helper by turns.
const BEGINS: f64 = 1.0;
const ENDS: f64 = 0.96;

/// What a node has too much, or can give. Processors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Balance {
    /// What its users ask for above its level.
    pub excess: f64,
    /// What it can take from others.
    pub headroom: f64,
}

/// What a balance is struck of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sides {
    /// Processors that are used well.
    pub capacity: f64,
    /// Of which this part is to be used.
    pub level: f64,
    /// What the node's users ask for.
    pub demand: f64,
    /// What is kept free for chance.
    pub stock: f64,
    /// What is needed to work off what waits already, see [`behind`].
    pub behind: f64,
    /// The part of what is left that a new node gives away.
    pub warmth: f64,
    /// Whether it takes nothing new.
    pub closed: bool,
}

/// Part of the shortest deadline for which users may wait while peers are given something: from here on answers come late.
/// A node that has much to do is better kept busy below it.
const PATIENCE: f64 = 0.7;

/// Processors that work off, within a deadline, what waits for longer than users can bear. Demand does not tell of it: a
/// queue from a moment of too much, or of peers that were let in before anybody was counted, would else stay for ever at a
/// node that gives away all that its users leave, and all of them would be answered late.
///
/// `under_way` is the work (processor-seconds) of all that has begun or waits, a `typical` invocation of which is served at
/// each of `capacity` processors while nobody waits; `deadline` is the shortest of those that users have (s), infinite if
/// there are no users.
pub(super) fn behind(under_way: f64, capacity: f64, typical: f64, deadline: f64) -> f64 {
    let borne = capacity * (typical + PATIENCE * deadline);
    (under_way - borne).max(0.0) / deadline
}

/// Whether this node sends invocations to others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Role {
    sender: bool,
}

impl Role {
    /// Strikes the balance of a tick.
    pub(super) fn balance(&mut self, sides: &Sides) -> Balance {
        let target = sides.capacity * sides.level;
        let from = if self.sender { ENDS } else { BEGINS };
        self.sender = sides.demand > 0.0 && sides.demand >= target * from;
        Balance { excess: (sides.demand - target).max(0.0), headroom: self.headroom(sides) }
    }

    /// What can be given, the role being that of the last balance. A sender takes nothing from others, or work would go
    /// round.
    pub(super) fn headroom(self, sides: &Sides) -> f64 {
        let left = (sides.capacity * sides.level - sides.demand - sides.stock - sides.behind).max(0.0)
            * sides.warmth;
        if self.sender || sides.closed { 0.0 } else { left }
    }

    /// Whether it was a sender at its last balance.
    pub(super) fn is_sender(self) -> bool {
        self.sender
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(demand: f64) -> Sides {
        Sides { capacity: 4.0, level: 0.75, demand, stock: 0.5, behind: 0.0, warmth: 1.0, closed: false }
    }

    fn struck(role: &mut Role, demand: f64) -> (f64, f64) {
        let balance = role.balance(&sides(demand));
        (balance.excess, balance.headroom)
    }

    #[test]
    fn what_is_above_the_level_is_excess_and_what_is_below_less_the_stock_is_headroom() {
        let mut role = Role::default();
        assert_eq!(struck(&mut role, 1.0), (0.0, 1.5));
        assert_eq!(struck(&mut role, 2.75), (0.0, 0.0), "it is in the stock");
        assert_eq!(struck(&mut role, 5.0), (2.0, 0.0));
    }

    #[test]
    fn a_sender_stays_one_until_its_demand_is_well_below_the_level() {
        let mut role = Role::default();
        let senders: Vec<bool> = [2.9, 3.0, 2.9, 2.87, 2.99, 3.1]
            .map(|demand| {
                role.balance(&sides(demand));
                role.is_sender()
            })
            .into();
        assert_eq!(senders, [false, true, true, false, false, true]);
        assert_eq!(
            struck(&mut Role { sender: true }, 2.9),
            (0.0, 0.0),
            "nothing to send and nothing to give"
        );
    }

    #[test]
    fn what_waits_for_too_long_is_worked_off_before_anything_is_given() {
        // 4 processors; 0.4 processor-seconds are served and 5.6 may wait, of 7: 1 within 2 s.
        let behind = behind(7.0, 4.0, 0.1, 2.0);
        assert!((behind - 0.5).abs() < 1e-9, "{behind}");
        assert_eq!(Role::default().balance(&Sides { behind, ..sides(1.0) }).headroom, 1.0);
        assert_eq!(super::behind(6.0, 4.0, 0.1, 2.0), 0.0);
        let long = super::behind(40.0, 4.0, 0.1, 2.0);
        assert_eq!(super::behind(40.0, 4.0, 0.1, f64::INFINITY), 0.0, "there is nobody to wait");
        assert_eq!(Role::default().balance(&Sides { behind: long, ..sides(1.0) }).headroom, 0.0);
    }

    #[test]
    fn a_cold_node_gives_a_part_and_a_closed_one_nothing() {
        let cold = Sides { warmth: 0.5, ..sides(1.0) };
        assert_eq!(Role::default().balance(&cold).headroom, 0.75);
        let closed = Sides { closed: true, ..sides(1.0) };
        assert_eq!(Role::default().balance(&closed).headroom, 0.0);
        assert!(!Role { sender: true }.balance(&sides(0.0)).headroom.is_nan());
    }
}
