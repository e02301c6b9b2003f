//! From what is known of peers to the report of `dfaas peers`.

use dfaas_control::Time;

use super::report_peers::{PeerReport, PeersReport};
use super::state::State;
use crate::config::StaticPeer;
use crate::dataplane::Snapshot;
use crate::federation::{MemberView, Standing};

impl State {
    /// The report of `dfaas peers`; `now` is the agent's clock.
    pub fn peer_reports(&self, snapshot: &Snapshot, now: Time) -> PeersReport {
        let statics = self.static_peers.iter().map(of_file);
        let overlay = self.members.iter().map(|member| self.of_overlay(member, now));
        let counted = |mut peer: PeerReport| {
            count(&mut peer, snapshot);
            peer.admission_rate = self.admission.get(&peer.name).map(|admission| admission.rate);
            peer
        };
        PeersReport {
            id: self.id.map(|id| id.to_string()),
            peers: statics.chain(overlay).map(counted).collect(),
        }
    }

    fn of_overlay(&self, member: &MemberView, now: Time) -> PeerReport {
        let link = self.overlay_status().and_then(|status| status.links.get(&member.id).cloned());
        let age = member.heard.map(|heard| now.since(heard).as_secs_f64());
        PeerReport {
            source: "overlay".to_owned(),
            id: Some(member.id.to_string()),
            region: member.region.clone(),
            usable: member.takes() && !self.conflict,
            state: state(&member.standing),
            address: member.at.map(|at| at.ip()),
            data_port: member.at.map(|at| at.port()),
            share: member.share,
            rtt_ms: member.rtt.map(|rtt| rtt.as_secs_f64() * 1e3),
            beat_age_seconds: age,
            functions: Some(member.functions.clone()),
            standing: link.map(|link| link.standing),
            ..unknown(&member.name)
        }
    }
}

/// A state in words, for somebody who sees it for the first time.
fn state(standing: &Standing) -> String {
    match standing {
        Standing::Peer => "shares".to_owned(),
        Standing::Admitted => "takes nothing from us yet: it has not proven our data port".to_owned(),
        Standing::Unproven(at) => {
            format!("waiting for proof that it is at {at}; does UDP reach it there?")
        }
        Standing::Disbelieved(why) => format!("not usable: {why}"),
        Standing::Unknown => "linked, has not told who it is yet".to_owned(),
        Standing::Silent => "silent: nothing is sent to it".to_owned(),
        Standing::Left => "has left".to_owned(),
    }
}

fn of_file(peer: &StaticPeer) -> PeerReport {
    PeerReport {
        source: "static".to_owned(),
        usable: true,
        state: "shares, by configuration".to_owned(),
        address: Some(peer.address),
        data_port: Some(peer.data_port),
        share: peer.share,
        ..unknown(&peer.name)
    }
}

fn unknown(name: &str) -> PeerReport {
    PeerReport {
        name: name.to_owned(),
        source: String::new(),
        id: None,
        region: String::new(),
        usable: false,
        state: String::new(),
        address: None,
        data_port: None,
        share: 1.0,
        rtt_ms: None,
        beat_age_seconds: None,
        functions: None,
        standing: None,
        admission_rate: None,
        invocations: 0,
        inflight: 0,
        refused: 0,
        silent: 0,
        reset: 0,
        accepted: 0,
        denied: 0,
    }
}

/// What the kernel counted of it.
fn count(peer: &mut PeerReport, snapshot: &Snapshot) {
    let name = peer.name.as_str();
    peer.invocations =
        snapshot.invocations.iter().filter(|line| line.backend == name).map(|line| line.count).sum();
    peer.inflight = snapshot.inflight.iter().filter(|line| line.backend == name).map(|line| line.count).sum();
    if let Some(counters) = snapshot.peers.iter().find(|counters| counters.peer == name) {
        (peer.refused, peer.silent, peer.reset) = (counters.refused, counters.silent, counters.reset);
        (peer.accepted, peer.denied) = (counters.accepted, counters.denied);
    }
}
