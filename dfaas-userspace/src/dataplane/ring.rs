//! The ring of events, and the flow table as it is: what can be seen of single invocations.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use dfaas_common::address::{Endpoint, to_bytes};
use dfaas_common::count::{Event, LOCAL};
use dfaas_common::event::{End, InvocationEvent, Way};
use dfaas_common::flow::{Flow, mark, state};

use super::kernel::{Kernel, map_error, monotonic};
use super::snapshot::total;
use super::{DataPlaneError, FlowView, Seen, Taken};

/// The address and port of an end.
fn socket(address: &dfaas_common::address::Address, port: u16) -> SocketAddr {
    let ip = IpAddr::V6(Ipv6Addr::from(to_bytes(address))).to_canonical();
    SocketAddr::new(ip, u16::from_be(port))
}

fn at(end: Endpoint) -> SocketAddr {
    socket(&end.address, end.port)
}

/// The word for a number of one of the lists of [`dfaas_common::event`].
fn word<T: Copy>(all: &[(T, &'static str)], number: u32) -> String {
    all.get(number as usize).map_or("unknown", |(_, name)| name).to_owned()
}

/// Nanoseconds as milliseconds.
fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn state_word(number: u64) -> &'static str {
    match number {
        state::CLAIMED => "claimed",
        state::OPENING => "opening",
        state::ESTABLISHED => "established",
        state::REJECTED => "rejected",
        state::FORWARDED => "forwarded",
        _ => "dead",
    }
}

fn closed(marks: u64) -> Option<String> {
    let fins = marks & (mark::CLIENT_FIN | mark::BACKEND_FIN);
    let word = match fins {
        _ if marks & mark::RESET != 0 => "reset",
        0 => return None,
        mark::CLIENT_FIN => "client",
        mark::BACKEND_FIN => "backend",
        _ => "both",
    };
    Some(word.to_owned())
}

impl Kernel {
    /// Names of function, sending peer, backend and gateway; numbers whose names are lost are told as numbers.
    fn names_of(&self, event: &InvocationEvent) -> (String, Option<String>, String, Option<String>) {
        let number = |number: u32| format!("#{number}");
        let function = self.function_name(event.function).unwrap_or_else(|| number(event.function));
        let peer_name = |peer| self.backend_name(peer).unwrap_or_else(|| number(peer));
        let peer = (event.peer != 0).then(|| peer_name(event.peer));
        let gateway = event.backend == LOCAL && event.gateway != 0;
        let gateway = gateway.then(|| {
            let known = self.known_gateways.get(&event.gateway);
            known.map_or_else(|| number(event.gateway), |gateway| gateway.name.clone())
        });
        (function, peer, peer_name(event.backend), gateway)
    }

    /// Reports one invocation in `sample`; 0: none.
    pub(super) fn put_sample(&mut self, sample: u32) -> Result<(), DataPlaneError> {
        self.lost_before = total(&self.happened, "HAPPENED", Event::SampleLost as u32)?;
        self.set_config(|config| config.sample = sample)
    }

    /// Takes what was reported, up to `most`.
    pub(super) fn take_reports(&mut self, most: usize) -> Result<Taken, DataPlaneError> {
        let mut events = Vec::new();
        while events.len() < most
            && let Some(item) = self.ring.next()
        {
            // One of another length would be of programs of another version, which have a ring of their own.
            events.extend(InvocationEvent::from_bytes(&item));
        }
        let lost = total(&self.happened, "HAPPENED", Event::SampleLost as u32)?;
        let news = lost.wrapping_sub(self.lost_before);
        self.lost_before = lost;
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let now = monotonic();
        let seen = events.iter().map(|event| self.seen(event, wall, now)).collect();
        Ok(Taken { seen, lost: news })
    }

    /// An event by names and by the clock on the wall, which says `wall` when the programs' says `now`.
    fn seen(&self, event: &InvocationEvent, wall: f64, now: u64) -> Seen {
        let (function, peer, backend, gateway) = self.names_of(event);
        let noted = &event.noted;
        let bytes = event.bytes();
        Seen {
            time: wall - now.saturating_sub(noted.over) as f64 / 1e9,
            function,
            peer,
            client: socket(&event.client.remote, event.client.remote_port),
            backend,
            gateway,
            server: event.server().map(at),
            way: word(Way::ALL, noted.way),
            status: u16::try_from(noted.status).ok().filter(|status| *status != 0),
            first_byte_ms: (noted.first_byte != 0)
                .then(|| millis(noted.first_byte.saturating_sub(noted.asked))),
            took_ms: millis(noted.over.saturating_sub(noted.asked)),
            bytes_to_backend: bytes[0],
            bytes_to_client: bytes[1],
            end: word(End::ALL, noted.end),
            pinned: event.pinned(),
        }
    }

    /// Every connection in the flow table, as it is while that is read.
    pub(super) fn read_flows(&self) -> Result<Vec<FlowView>, DataPlaneError> {
        let now = monotonic();
        let mut flows = Vec::new();
        for flow in self.table.iter() {
            let flow = flow.map_err(map_error("TABLE"))?;
            if flow.state != state::FREE {
                flows.push(self.flow_view(&flow, now));
            }
        }
        Ok(flows)
    }

    fn flow_view(&self, flow: &Flow, now: u64) -> FlowView {
        let event = InvocationEvent::of(flow);
        let (function, peer, backend, gateway) = self.names_of(&event);
        let seconds = |since: u64| now.saturating_sub(since) as f64 / 1e9;
        FlowView {
            function,
            peer,
            client: socket(&flow.client.remote, flow.client.remote_port),
            listen: socket(&flow.client.local, flow.client.local_port),
            server: event.server().map(at),
            backend,
            gateway,
            state: state_word(flow.state).to_owned(),
            age_seconds: seconds(flow.born),
            idle_seconds: seconds(flow.last_seen),
            requests: flow.exchange.client.asked.exchange(),
            busy: flow.marks & mark::COUNTED != 0,
            bytes_to_backend: flow.bytes[0],
            bytes_to_client: flow.bytes[1],
            pinned: flow.marks & mark::PINNED != 0,
            native: flow.marks & mark::NATIVE != 0,
            closed: closed(flow.marks),
        }
    }
}
