//! The table about the overlay, and the files that it names.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use libp2p::pnet::PreSharedKey;
use libp2p::{Multiaddr, PeerId};

use super::super::model::Overlay;
use super::super::topology::{self, Topology};
use super::super::{forms, raw};
use super::Checker;

impl Checker<'_> {
    /// The overlay, if one is wanted, and the address at which peers reach the data port, if one is given.
    pub(super) fn overlay(
        &mut self,
        raw: &raw::Overlay,
        neighbours: u32,
    ) -> (Option<Overlay>, Option<IpAddr>) {
        let listen: Vec<forms::OverlayListen> =
            self.each("overlay.listen", &raw.listen, forms::overlay_listen);
        let mut bootstrap = self.each("overlay.bootstrap", &raw.bootstrap, forms::bootstrap);
        if !raw.bootstrap_file.is_empty() {
            bootstrap.extend(self.bootstrap_file(&raw.bootstrap_file));
        }
        let allow: BTreeSet<PeerId> =
            self.each("overlay.allow", &raw.allow, forms::peer_id).into_iter().collect();
        let data_address = match raw.data_address.as_str() {
            "" => None,
            text => self.ok("overlay.data_address", forms::host_address(text)),
        };
        let identity = PathBuf::from(&raw.identity);
        self.unless(
            !identity.is_absolute() || identity.file_name().is_none(),
            "overlay.identity",
            format!("\"{}\" is not the absolute path of a file", raw.identity),
        );
        let topology = match raw.topology.as_str() {
            "" => Topology::default(),
            file => self.topology(file, &allow),
        };
        let psk = match raw.psk_file.as_str() {
            "" => None,
            file => self.swarm_key(file),
        };
        if raw.listen.is_empty() {
            return (None, data_address);
        }
        self.guarded(raw, &listen);
        let overlay = Overlay {
            listen: listen.into_iter().map(|listen| listen.address).collect(),
            identity,
            bootstrap,
            psk_file: psk.is_some().then(|| PathBuf::from(&raw.psk_file)),
            psk,
            allow,
            mdns: raw.mdns,
            neighbours: neighbours as usize,
            topology,
        };
        (Some(overlay), data_address)
    }

    /// Beyond loopback something must say who belongs to the federation.
    fn guarded(&mut self, raw: &raw::Overlay, listen: &[forms::OverlayListen]) {
        let open = listen.iter().find(|listen| !listen.loopback);
        if let Some(open) = open.filter(|_| raw.allow.is_empty() && raw.psk_file.is_empty()) {
            self.unless(
                !raw.insecure_open,
                "overlay.allow",
                format!(
                    "missing: {} is open to others than this machine; list the peer ids of the federation, or set \
                     psk_file, or say insecure_open = true",
                    open.address
                ),
            );
        }
        let only_key = raw.allow.is_empty() && !raw.psk_file.is_empty();
        let tcp = |text: &String| !text.contains("/udp/");
        self.unless(
            only_key && !raw.listen.iter().any(tcp),
            "overlay.listen",
            "a swarm key guards TCP only: listen at a TCP address, or list the federation in allow",
        );
    }

    fn each<T>(&mut self, key: &str, texts: &[String], parse: fn(&str) -> Result<T, String>) -> Vec<T> {
        let texts = texts.iter().enumerate();
        texts.filter_map(|(index, text)| self.ok(format!("{key}[{index}]"), parse(text))).collect()
    }

    /// One address a line; what follows a `#` is a comment.
    fn bootstrap_file(&mut self, path: &str) -> Vec<(PeerId, Multiaddr)> {
        let key = "overlay.bootstrap_file";
        let text = (self.read)(Path::new(path)).map_err(|cause| format!("cannot read {path}: {cause}"));
        let Some(text) = self.ok(key, text) else { return Vec::new() };
        let mut found = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let address = line.split('#').next().unwrap_or_default().trim();
            if !address.is_empty() {
                let parsed = forms::bootstrap(address);
                found
                    .extend(self.ok(key, parsed.map_err(|reason| format!("{path}:{}: {reason}", index + 1))));
            }
        }
        found
    }

    fn topology(&mut self, path: &str, allow: &BTreeSet<PeerId>) -> Topology {
        let key = "overlay.topology";
        let text = (self.read)(Path::new(path)).map_err(|cause| format!("cannot read {path}: {cause}"));
        let Some(text) = self.ok(key, text) else { return Topology::default() };
        match topology::parse(&text, crate::overlay::MAX_LINKS, allow) {
            Ok(topology) => topology,
            Err(wrong) => {
                for reason in wrong {
                    self.unless(true, key, format!("{path}:{reason}"));
                }
                Topology::default()
            }
        }
    }

    fn swarm_key(&mut self, path: &str) -> Option<PreSharedKey> {
        let text = (self.read)(Path::new(path)).map_err(|cause| format!("cannot read {path}: {cause}"));
        let key = text.and_then(|text| {
            crate::overlay::parse_swarm_key(&zeroize::Zeroizing::new(text))
                .map_err(|reason| format!("{path}: {reason}"))
        });
        self.ok("overlay.psk_file", key)
    }
}
