//! What becomes of invocations under the plans in force, as a flow: a period at a time, without chance and queues.

use std::collections::BTreeMap;
use std::time::Duration;

use dfaas_control::{NodeId, Plan, SHARE_ONE, Target};

use crate::federation::Federation;
use crate::host::FIGLET;

/// Invocations a second in one period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flow {
    /// Served, by the node that served them.
    pub served: BTreeMap<u64, f64>,
    pub rejected: f64,
}

/// What a node still takes in this period.
struct Room {
    /// Invocations a second of anybody.
    any: f64,
    /// Of peers.
    peers: f64,
    of: BTreeMap<NodeId, f64>,
}

impl Room {
    fn new(capacity: f64, plan: Option<&Plan>) -> Self {
        let figlet = plan.map(|plan| &plan.functions[&FIGLET]);
        let peers = figlet.and_then(|plan| plan.peers_rate).unwrap_or(f64::INFINITY);
        let admission = plan.map(|plan| &plan.admission).into_iter().flatten();
        Self {
            any: capacity,
            peers,
            of: admission.map(|(node, admission)| (*node, admission.rate)).collect(),
        }
    }

    fn take(&mut self, from: NodeId, rate: f64) -> f64 {
        let own = self.of.entry(from).or_insert(f64::INFINITY);
        let taken = rate.min(self.any).min(self.peers).min(*own);
        (self.any, self.peers, *own) = (self.any - taken, self.peers - taken, *own - taken);
        taken
    }
}

/// Nodes that lie: what a peer sends them they refuse.
pub type Liars<'a> = &'a [u64];

impl Federation {
    /// A period passes under load; what was served where, and what the nodes measured of it, which they are told.
    pub fn flow(&mut self, liars: Liars<'_>) -> Flow {
        let capacity = |id: &NodeId, federation: &Self| {
            federation.nodes[id].measured.functions[&FIGLET].max_rate.unwrap_or(f64::INFINITY)
        };
        let mut rooms: BTreeMap<NodeId, Room> = self
            .nodes
            .iter()
            .map(|(id, node)| (*id, Room::new(capacity(id, self), node.plan.as_ref())))
            .collect();
        for node in self.nodes.values_mut() {
            node.figlet().peer_rate = 0.0;
            node.figlet().first_byte = Some(Duration::from_millis(3));
            for peer in node.measured.peers.values_mut() {
                (peer.sent_rate, peer.taken_rate, peer.refusal_rate) = (0.0, 0.0, 0.0);
                peer.first_byte = Some(Duration::from_millis(5));
            }
        }
        let mut flow = Flow::default();
        let all: Vec<NodeId> = self.nodes.keys().copied().collect();
        // Users of a node are served first, then what plans send away, then overflow.
        let mut waiting: BTreeMap<NodeId, f64> = BTreeMap::new();
        for id in &all {
            let asked = self.nodes[id].measured.functions[&FIGLET].user_rate;
            let part = self.nodes[id]
                .plan
                .as_ref()
                .map_or(SHARE_ONE, |plan| plan.functions[&FIGLET].shares.part(Target::Local));
            waiting.insert(*id, asked);
            self.serve(
                *id,
                asked * f64::from(part) / f64::from(SHARE_ONE),
                &mut waiting,
                &mut rooms,
                &mut flow,
            );
        }
        for id in &all {
            let Some(plan) = self.nodes[id].plan.clone() else { continue };
            let asked = self.nodes[id].measured.functions[&FIGLET].user_rate;
            let figlet = &plan.functions[&FIGLET];
            for (target, part) in figlet.shares.parts() {
                if let Target::Peer(peer) = target {
                    let wanted = asked * f64::from(*part) / f64::from(SHARE_ONE);
                    self.send(
                        *id,
                        *peer,
                        wanted.min(figlet.peer_rate[peer]),
                        liars,
                        &mut waiting,
                        &mut rooms,
                        &mut flow,
                    );
                }
            }
        }
        for id in &all {
            let rest = waiting[id];
            self.serve(*id, rest, &mut waiting, &mut rooms, &mut flow);
            let Some(plan) = self.nodes[id].plan.clone() else { continue };
            let candidates = &plan.functions[&FIGLET].overflow;
            // Each is tried with its part, twice, so that what one refuses finds another.
            for _ in 0..2 {
                let part = waiting[id] / candidates.len().max(1) as f64;
                for peer in candidates {
                    self.send(*id, *peer, part, liars, &mut waiting, &mut rooms, &mut flow);
                }
            }
            flow.rejected += waiting[id];
        }
        flow
    }

    fn serve(
        &mut self,
        id: NodeId,
        rate: f64,
        waiting: &mut BTreeMap<NodeId, f64>,
        rooms: &mut BTreeMap<NodeId, Room>,
        flow: &mut Flow,
    ) {
        let room = rooms.get_mut(&id).expect("every node has one");
        let served = rate.min(room.any);
        room.any -= served;
        *waiting.get_mut(&id).expect("every node waits") -= served;
        *flow.served.entry(id.0).or_default() += served;
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "who sends what to whom, and the three places where it is noted"
    )]
    fn send(
        &mut self,
        from: NodeId,
        to: NodeId,
        rate: f64,
        liars: Liars<'_>,
        waiting: &mut BTreeMap<NodeId, f64>,
        rooms: &mut BTreeMap<NodeId, Room>,
        flow: &mut Flow,
    ) {
        let room = rooms.get_mut(&to).filter(|_| !liars.contains(&to.0));
        let taken = room.map_or(0.0, |room| room.take(from, rate));
        *waiting.get_mut(&from).expect("every node waits") -= taken;
        *flow.served.entry(to.0).or_default() += taken;
        let peer = self.node(from.0).meets(to.0);
        peer.sent_rate += rate;
        peer.refusal_rate += rate - taken;
        if let Some(node) = self.nodes.get_mut(&to) {
            node.figlet().peer_rate += taken;
            node.meets(from.0).taken_rate += taken;
        }
    }
}
