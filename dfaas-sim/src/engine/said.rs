//! What techniques want done, and words between nodes: they take their time, and the network loses, repeats and disorders
//! them.

use dfaas_control::{Command, Message, NodeId, QueryFailed};
use rand::Rng;

use super::control::time;
use super::node::{Node, STRANGER};
use super::queue::What;
use super::words::{Letter, size};
use super::{Simulation, Violation, lies};
use crate::federation::{Nanos, nanos};
use crate::techniques::{Act, Word};

impl Simulation<'_> {
    /// A word arrives. Agents number what they say and leave out what is older than what they have read.
    pub(super) fn hear(&mut self, now: Nanos, place: u32) -> Result<(), Violation> {
        let Some(Letter { from, to, number, word }) = self.letters.take(place) else { return Ok(()) };
        let to = to as usize;
        let node = &mut self.nodes[to];
        let read = &mut node.agent.read[usize::from(node.numbers[from as usize])];
        if !node.up || *read >= number {
            return Ok(());
        }
        *read = number;
        let acts = node.agent.technique.on_word(time(now), NodeId(from.into()), &word);
        self.carry_out(now, to, acts)?;
        let agent = &mut self.nodes[to].agent;
        let due = agent.technique.due().map(|due| nanos(due.0).max(now));
        if let Some(due) = due.filter(|due| agent.work_out != Some(*due)) {
            agent.work_out = Some(due);
            self.queue.push(due, What::Due(to as u32));
        }
        Ok(())
    }

    /// What words have brought is worked out, if it still is to be.
    pub(super) fn due(&mut self, now: Nanos, node: u32) -> Result<(), Violation> {
        let Node { up, agent, .. } = &mut self.nodes[node as usize];
        if !*up || agent.technique.due().is_none_or(|due| due > time(now)) {
            return Ok(());
        }
        let acts = agent.technique.on_due(time(now));
        self.carry_out(now, node as usize, acts)
    }

    /// Does what the technique of a node wants done.
    pub(super) fn carry_out(&mut self, now: Nanos, node: usize, acts: Vec<Act>) -> Result<(), Violation> {
        for act in acts {
            match act {
                Act::Do(Command::SetPlan(plan)) => self.set_plan(now, node, &plan),
                Act::Do(Command::SetWait(peer, wait)) => self.set_wait(node, peer, &wait),
                Act::Do(Command::Send(to, message)) => self.say(now, node, to, Word::Strategy(message)),
                Act::Say(to, word) => self.say(now, node, to, word),
                Act::Do(Command::Query(id, _)) => {
                    // There is no model server here.
                    let technique = &mut self.nodes[node].agent.technique;
                    let acts = technique.on_reply(time(now), id, Err(QueryFailed::Refused));
                    self.carry_out(now, node, acts)?;
                }
            }
        }
        self.nodes[node].agent.grants.check().map_err(|(granted, headroom)| {
            self.violation(now, format!("node {node} has granted {granted} of {headroom} processors"))
        })
    }

    fn say(&mut self, now: Nanos, node: usize, to: NodeId, mut word: Word) {
        let peer = usize::try_from(to.0).unwrap_or(usize::MAX);
        let Some(backend) = self.nodes[node].numbers.get(peer).copied().filter(|number| *number != STRANGER)
        else {
            return;
        };
        let agent = &mut self.nodes[node].agent;
        if let Word::Strategy(Message::Lease(lease)) = &word {
            agent.grants.tell(usize::from(backend), lease.grant, lease.headroom);
        }
        if let Some(factor) = agent.lies {
            lies::lie(&mut word, factor);
        }
        self.record.said(now, size(&word));
        self.said += 1;
        if !self.reach(node, peer) || self.is_lost() {
            return;
        }
        if self.happens(self.scenario.network.duplicated) {
            self.post(now, node, peer, word.clone());
        }
        self.post(now, node, peer, word);
    }

    fn post(&mut self, now: Nanos, from: usize, to: usize, word: Word) {
        let jitter = nanos(self.scenario.network.jitter);
        let late = if jitter > 0 { self.loss.random_range(0..=jitter) } else { 0 };
        let letter = Letter { from: from as u32, to: to as u32, number: self.said, word };
        let place = self.letters.add(letter);
        self.queue.push(now + self.federation.rtt(from, to) / 2 + late, What::Word(place));
    }

    /// Whether the network loses what is said now.
    pub(super) fn is_lost(&mut self) -> bool {
        self.happens(self.scenario.network.loss)
    }

    fn happens(&mut self, part: f64) -> bool {
        part > 0.0 && self.loss.random::<f64>() < part
    }
}
