//! `dfaas peers` for people.

use std::net::SocketAddr;

use super::table::table;
use crate::agent::{PeerReport, PeersReport};

pub(super) fn peers(report: &PeersReport) -> String {
    let mut text = report.id.as_ref().map(|id| format!("this node is {id}\n")).unwrap_or_default();
    if report.peers.is_empty() {
        text.push_str("no peers: everything is served here\n");
        return text;
    }
    let header = [
        "PEER",
        "DATA PORT",
        "FROM",
        "USABLE",
        "SHARE",
        "RTT",
        "LAST BEAT",
        "FUNCTIONS",
        "SENT",
        "REFUSED",
        "RECEIVED",
        "DENIED",
        "IN FLIGHT",
    ];
    let rows: Vec<Vec<String>> = report.peers.iter().map(row).collect();
    text.push_str(&table(&header, &rows));
    for peer in report.peers.iter().filter(|peer| !peer.usable) {
        text.push_str(&format!("{}: {}\n", peer.name, peer.state));
    }
    text
}

fn row(peer: &PeerReport) -> Vec<String> {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let at = peer.address.zip(peer.data_port).map(|(ip, port)| SocketAddr::new(ip, port).to_string());
    vec![
        peer.name.clone(),
        or_dash(at),
        peer.source.clone(),
        if peer.usable { "yes" } else { "no" }.to_owned(),
        peer.share.to_string(),
        or_dash(peer.rtt_ms.map(|rtt| format!("{rtt:.1} ms"))),
        or_dash(peer.beat_age_seconds.map(|age| format!("{age:.1} s ago"))),
        or_dash(peer.functions.as_ref().map(|functions| functions.len().to_string())),
        peer.invocations.to_string(),
        (peer.refused + peer.silent + peer.reset).to_string(),
        peer.accepted.to_string(),
        peer.denied.to_string(),
        peer.inflight.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_shares_nothing_says_why_below_the_table() {
        let text = r#"{"id":"12D3","peers":[
            {"name":"b","source":"static","id":null,"region":"","usable":true,"state":"shares","address":"192.0.2.2",
             "data_port":31601,"share":1.0,"rtt_ms":null,"beat_age_seconds":null,"functions":null,"standing":null,
             "admission_rate":null,"invocations":7,"inflight":1,"refused":1,"silent":1,"reset":1,"accepted":4,"denied":2},
            {"name":"c","source":"overlay","id":"12D4","region":"","usable":false,"state":"has left","address":null,
             "data_port":null,"share":1.0,"rtt_ms":1.25,"beat_age_seconds":2.0,"functions":["f"],"standing":1.0,
             "admission_rate":null,"invocations":0,"inflight":0,"refused":0,"silent":0,"reset":0,"accepted":0,"denied":0}
        ]}"#;
        let shown = peers(&serde_json::from_str(text).unwrap());
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "this node is 12D3");
        let cells = |line: &'static str| line.split_whitespace().collect::<Vec<_>>();
        assert_eq!(
            lines[2].split_whitespace().collect::<Vec<_>>(),
            cells("b 192.0.2.2:31601 static yes 1 - - - 7 3 4 2 1")
        );
        assert_eq!(
            lines[3].split_whitespace().collect::<Vec<_>>(),
            cells("c - overlay no 1 1.2 ms 2.0 s ago 1 0 0 0 0 0")
        );
        assert_eq!(lines[4], "c: has left");
    }
}
