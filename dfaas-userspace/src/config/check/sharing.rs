//! The tables about sharing: control, functions, peers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use dfaas_control::{Options, RecalcSplit};
use libp2p::PeerId;

use super::super::model::{Control, External, FunctionOverride, OverlayPeer, StaticPeer};
use super::super::{forms, raw};
use super::Checker;
use crate::dataplane::Settings;

/// A plan names at most 18 targets, and the local gateway is one of them.
const MAX_STATIC_PEERS: usize = dfaas_control::MAX_TARGETS - 1;

impl Checker<'_> {
    pub(super) fn control(&mut self, raw: &raw::Control) -> Control {
        let split = &raw.recalc.split;
        let recalc_split = match split.as_str() {
            "overloaded" => Ok(RecalcSplit::Overloaded),
            "all" => Ok(RecalcSplit::All),
            _ => Err(format!("\"{split}\" is not one of overloaded, all")),
        };
        let options = Options {
            period: raw.period,
            static_local: raw.fixed.local,
            recalc_split: self.ok("control.recalc.split", recalc_split).unwrap_or_default(),
            random_reject: raw.random.reject,
            latency_threshold: raw.latency_threshold.rtt,
            nodemargin_threshold: raw.nodemargin.threshold,
        };
        let made = dfaas_control::strategy(&raw.strategy, &options);
        self.ok("control.strategy", made.map(drop).map_err(|error| error.to_string()));
        self.duration("control.period", raw.period, Duration::from_millis(100), Duration::from_secs(60));
        let percent = raw.fixed.local;
        self.unless(
            !(0.0..=100.0).contains(&percent),
            "control.static.local",
            format!("{percent} is not a percentage, 0 to 100"),
        );
        self.unless(
            !(1..=24).contains(&raw.neighbours),
            "control.neighbours",
            format!("{} is out of bounds; 1 to 24 are allowed", raw.neighbours),
        );
        self.duration(
            "control.latency_threshold.rtt",
            raw.latency_threshold.rtt,
            Duration::from_millis(1),
            Duration::from_secs(10),
        );
        let threshold = raw.nodemargin.threshold;
        self.unless(
            !(1.0..=100.0).contains(&threshold),
            "control.nodemargin.threshold",
            format!("{threshold} is not a percentage of 1 to 100"),
        );
        let external = self.external(&raw.external, raw.strategy == "external");
        Control { strategy: raw.strategy.clone(), options, external }
    }

    /// The model server; one is needed by the strategy that asks it.
    fn external(&mut self, raw: &raw::External, needed: bool) -> Option<External> {
        let timeout = raw.timeout;
        self.duration("control.external.timeout", timeout, Duration::from_millis(1), Duration::from_secs(60));
        if raw.url.is_empty() {
            let reason =
                "missing; the strategy external asks a model server there, like http://127.0.0.1:5000";
            self.unless(needed, "control.external.url", reason);
            return None;
        }
        let url = self.ok("control.external.url", forms::http_url(&raw.url))?;
        Some(External { url, timeout })
    }

    pub(super) fn functions(
        &mut self,
        raw: BTreeMap<String, raw::Function>,
    ) -> BTreeMap<String, FunctionOverride> {
        let mut checked = BTreeMap::new();
        for (name, function) in raw {
            let key = format!("functions.{name}");
            self.unless(
                !crate::discovery::valid_spelling(&name),
                &*key,
                format!("\"{name}\" cannot be the name of a function"),
            );
            if let Some(rate) = function.max_rate {
                self.unless(
                    !rate.is_finite() || rate < 0.0,
                    format!("{key}.max_rate"),
                    format!("{rate} is not a rate of 0 or more a second"),
                );
            }
            if let Some(timeout) = function.timeout {
                self.duration(
                    &format!("{key}.timeout"),
                    timeout,
                    Duration::from_millis(1),
                    Duration::from_secs(86_400),
                );
            }
            checked.insert(
                name,
                FunctionOverride {
                    max_rate: function.max_rate,
                    max_inflight: function.max_inflight,
                    timeout: function.timeout,
                    local_only: function.local_only,
                },
            );
        }
        checked
    }

    /// Peers without an id, and what is said of nodes of the overlay, which have one.
    pub(super) fn static_peers(
        &mut self,
        raw: &[raw::StaticPeer],
        own: &str,
        settings: Option<&Settings>,
        overlay: bool,
    ) -> (Vec<StaticPeer>, BTreeMap<PeerId, OverlayPeer>) {
        let mut peers: Vec<StaticPeer> = Vec::new();
        let mut of_overlay = BTreeMap::new();
        let fixed = raw.iter().filter(|peer| peer.id.is_none()).count();
        self.unless(
            fixed > MAX_STATIC_PEERS,
            "static_peer",
            format!("{fixed} peers; at most {MAX_STATIC_PEERS} fit"),
        );
        for (index, peer) in raw.iter().enumerate() {
            let key = |name: &str| format!("static_peer[{index}].{name}");
            self.unless(peer.data_port == 0, key("data_port"), "0 is not a port");
            self.unless(
                !peer.share.is_finite() || peer.share < 0.0,
                key("share"),
                format!("{} is not a share of 0 or more", peer.share),
            );
            if let Some(id) = &peer.id {
                self.overlay_peer(&key, id, peer, overlay, &mut of_overlay);
                continue;
            }
            let missing = || "missing".to_owned();
            let name =
                peer.name.clone().ok_or_else(missing).and_then(|name| forms::name(&name).map(|()| name));
            let address = peer.address.as_deref().ok_or_else(missing).and_then(forms::host_address);
            let (Some(name), Some(address)) = (self.ok(key("name"), name), self.ok(key("address"), address))
            else {
                continue;
            };
            self.unless(name == own, key("name"), format!("\"{name}\" is this node"));
            self.unless(
                peers.iter().any(|other| other.name == name),
                key("name"),
                format!("\"{name}\" is listed twice"),
            );
            let twice =
                peers.iter().any(|other| (other.address, other.data_port) == (address, peer.data_port));
            self.unless(twice, key("address"), format!("{address} port {} is listed twice", peer.data_port));
            let own_address =
                settings.is_some_and(|settings| settings.listen.iter().any(|listen| listen.ip() == address));
            self.unless(
                own_address,
                key("address"),
                format!("{address} is an address of this node (dataplane.listen)"),
            );
            peers.push(StaticPeer { name, address, data_port: peer.data_port, share: peer.share });
        }
        (peers, of_overlay)
    }

    fn overlay_peer(
        &mut self,
        key: &dyn Fn(&str) -> String,
        id: &str,
        peer: &raw::StaticPeer,
        overlay: bool,
        known: &mut BTreeMap<PeerId, OverlayPeer>,
    ) {
        self.unless(
            !overlay,
            key("id"),
            "there is no overlay; write [overlay], or name and address without id",
        );
        if let Some(name) = &peer.name {
            self.ok(key("name"), forms::name(name));
        }
        let address = peer.address.as_deref().map(forms::host_address).transpose();
        let (Some(id), Some(address)) =
            (self.ok(key("id"), forms::peer_id(id)), self.ok(key("address"), address))
        else {
            return;
        };
        let data = address.map(|address| SocketAddr::new(address, peer.data_port));
        let twice = known.insert(id, OverlayPeer { share: peer.share, data }).is_some();
        self.unless(twice, key("id"), format!("{id} is listed twice"));
    }
}
