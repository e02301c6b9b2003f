use std::collections::BTreeMap;

use crate::command::{Command, Message, QueryFailed, QueryId, Reply};
use crate::id::{NodeId, Time};
use crate::measurements::Measurements;
use crate::random::Random;

/// A way to decide how invocations are divided among nodes.
///
/// The host calls it with its own monotonic time and carries out the commands in order. A strategy keeps what state it
/// likes, but everything that moves it comes in by these calls.
pub trait Strategy: Send {
    /// Its name in `control.strategy`.
    fn name(&self) -> &'static str;

    /// Called once a period, and at once after functions or peers came or went.
    fn on_tick(&mut self, now: Time, measured: &Measurements, random: &mut dyn Random) -> Vec<Command>;

    /// Called for a message that `from`, whose identity the host has verified, sent to this node. What can wait for others
    /// that come with it is left until [`Strategy::due`].
    fn on_message(&mut self, now: Time, from: NodeId, message: &Message) -> Vec<Command> {
        let _ = (now, from, message);
        Vec::new()
    }

    /// When what messages have brought is to be worked out; `None`: nothing is left. So a burst of messages costs no more
    /// than one of them.
    fn due(&self) -> Option<Time> {
        None
    }

    /// Called when the moment of [`Strategy::due`] has come. Earlier does no harm, and a tick does it too.
    fn on_due(&mut self, now: Time) -> Vec<Command> {
        let _ = now;
        Vec::new()
    }

    /// The operator drains the node, or takes that back: a drained node takes nothing new from others. Counts from the
    /// next tick on.
    fn drain(&mut self, drained: bool) {
        let _ = drained;
    }

    /// What each peer gives this node, in a unit of the strategy's own, while that is not enough for what its users ask;
    /// peers that are not named give nothing. `None` when it is enough, or when the strategy does not count that. Hosts
    /// look for other neighbours while it is not.
    fn unmet(&self) -> Option<BTreeMap<NodeId, f64>> {
        None
    }

    /// What it has granted to peers and holds of theirs, for those who look; nothing where there are no leases.
    fn leases(&self) -> BTreeMap<NodeId, Leases> {
        BTreeMap::new()
    }

    /// Called once for each [`Command::Query`], with its answer or the reason why there is none.
    fn on_reply(&mut self, now: Time, query: QueryId, reply: Result<Reply, QueryFailed>) -> Vec<Command> {
        let _ = (now, query, reply);
        Vec::new()
    }
}

/// What this node and one peer lease each other. Processors of whoever grants.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Leases {
    /// What this node granted the peer, as it was told last.
    pub granted: f64,
    /// What the peer granted this node, as it told last, if that has not ended.
    pub held: f64,
}
