use std::collections::BTreeMap;
use std::net::IpAddr;

use libp2p::PeerId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::api::Event;

/// Events on their way to the agent. Links are kept as a state and told by differences, so that none is missed and
/// nothing piles up however long the agent does not read; the rest is left out while there is no room.
#[derive(Debug)]
pub(super) struct Outbox {
    events: mpsc::Sender<Event>,
    links: BTreeMap<PeerId, Vec<IpAddr>>,
    told: BTreeMap<PeerId, Vec<IpAddr>>,
    left_out: u64,
}

impl Outbox {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self { events, links: BTreeMap::new(), told: BTreeMap::new(), left_out: 0 }
    }

    /// The links as they are now, with the remote addresses of each.
    pub(super) fn set_links(&mut self, links: BTreeMap<PeerId, Vec<IpAddr>>) {
        self.links = links;
        self.flush();
    }

    /// Tells what is due, as far as there is room. Whether all is told.
    pub(super) fn flush(&mut self) -> bool {
        while let Some(event) = self.due() {
            let (peer, addresses) = match &event {
                Event::Linked { peer, addresses } => (*peer, Some(addresses.clone())),
                Event::Unlinked { peer } => (*peer, None),
                _ => return true,
            };
            if self.events.try_send(event).is_err() {
                return false;
            }
            match addresses {
                Some(addresses) => self.told.insert(peer, addresses),
                None => self.told.remove(&peer),
            };
        }
        true
    }

    /// Tells something that may be left out.
    pub(super) fn offer(&mut self, event: Event) {
        let sent = if self.flush() {
            self.events.try_send(event).map_err(TrySendError::into_inner)
        } else {
            Err(event)
        };
        self.left_out += u64::from(matches!(sent, Err(Event::Beat { .. })));
    }

    /// Whether the agent knows this node as linked, so that a beat of it makes sense.
    pub(super) fn has_told(&self, peer: &PeerId) -> bool {
        self.told.contains_key(peer) && self.links.contains_key(peer)
    }

    /// Beats left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    fn due(&self) -> Option<Event> {
        let gone = self.told.keys().find(|peer| !self.links.contains_key(peer));
        if let Some(peer) = gone {
            return Some(Event::Unlinked { peer: *peer });
        }
        let news = self.links.iter().find(|(peer, addresses)| self.told.get(peer) != Some(addresses));
        news.map(|(peer, addresses)| Event::Linked { peer: *peer, addresses: addresses.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outbox(room: usize) -> (Outbox, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(room);
        (Outbox::new(events), receiver)
    }

    fn links(peers: &[(PeerId, u8)]) -> BTreeMap<PeerId, Vec<IpAddr>> {
        peers.iter().map(|(peer, last)| (*peer, vec![IpAddr::from([192, 0, 2, *last])])).collect()
    }

    fn rtt(peer: PeerId) -> Event {
        Event::Rtt { peer, rtt: Duration::from_millis(1) }
    }

    #[test]
    fn links_are_told_when_they_come_change_and_go() {
        let (mut outbox, mut receiver) = outbox(8);
        let peer = PeerId::random();
        outbox.set_links(links(&[(peer, 1)]));
        outbox.set_links(links(&[(peer, 1)]));
        outbox.set_links(links(&[(peer, 2)]));
        outbox.offer(rtt(peer));
        outbox.set_links(BTreeMap::new());
        let told: Vec<Event> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
        let linked = |last| Event::Linked { peer, addresses: vec![IpAddr::from([192, 0, 2, last])] };
        assert_eq!(told, [linked(1), linked(2), rtt(peer), Event::Unlinked { peer }]);
    }

    #[test]
    fn an_agent_that_does_not_read_misses_no_link_and_costs_no_memory() {
        let (mut outbox, mut receiver) = outbox(2);
        let (a, b) = (PeerId::random(), PeerId::random());
        outbox.set_links(links(&[(a, 1), (b, 1)]));
        for last in 0..200 {
            outbox.set_links(links(&[(a, last)]));
            outbox.offer(rtt(a));
            outbox.set_links(links(&[(a, last), (b, last)]));
        }
        outbox.set_links(links(&[(b, 7)]));
        let mut known = BTreeMap::new();
        loop {
            match receiver.try_recv() {
                Ok(Event::Linked { peer, addresses }) => drop(known.insert(peer, addresses)),
                Ok(Event::Unlinked { peer }) => drop(known.remove(&peer)),
                Ok(_) => {}
                Err(_) if outbox.due().is_some() => drop(outbox.flush()),
                Err(_) => break,
            }
        }
        assert_eq!(known, links(&[(b, 7)]));
    }
}
