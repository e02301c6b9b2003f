//! The tables about gateways: the node's own and those beside it.

use std::net::SocketAddr;
use std::time::Duration;

use dfaas_common::MAX_GATEWAYS;

use super::super::model::{ForeignGateway, Gateway, Secret, StaticPeer};
use super::super::{forms, raw};
use super::Checker;
use crate::dataplane::{OWN_GATEWAY, Settings};
use crate::machine::Pattern;

/// What foreign gateways are checked against.
pub(super) struct Beside<'a> {
    /// Address of the own gateway, if it has one of its own.
    pub own: Option<SocketAddr>,
    /// Time between reads of the lists of functions.
    pub poll: Duration,
    /// The peers of the file: their names are those of backends too.
    pub peers: &'a [StaticPeer],
}

impl Checker<'_> {
    pub(super) fn gateway(&mut self, raw: &raw::Gateway) -> Option<Gateway> {
        let url = self.ok("gateway.url", forms::http_url(&raw.url));
        self.duration("gateway.poll", raw.poll, Duration::from_millis(100), Duration::from_secs(3600));
        let key = |name: &str| format!("gateway.{name}");
        let credentials = self.credentials(&key, &raw.user, &raw.password_file);
        let metrics = self.metrics(&key, &raw.metrics);
        let cgroup = match raw.cgroup.as_str() {
            "" => None,
            text => self.ok("gateway.cgroup", Pattern::parse(text)),
        };
        Some(Gateway { url: url?, credentials, poll: raw.poll, metrics, cgroup })
    }

    fn metrics(&mut self, key: &dyn Fn(&str) -> String, text: &str) -> Option<reqwest::Url> {
        if text.is_empty() {
            return None;
        }
        let mut url = self.ok(key("metrics"), forms::http_url(text))?;
        if url.path() == "/" {
            url.set_path("/metrics");
        }
        Some(url)
    }

    /// Where the own gateway takes invocations, if that is not where users call.
    pub(super) fn gateway_address(&mut self, text: &str, settings: Option<&Settings>) -> Option<SocketAddr> {
        if text.is_empty() {
            return None;
        }
        let address = self.ok("gateway.address", forms::remote_address(text))?;
        self.apart("gateway.address", address, settings);
        Some(address)
    }

    pub(super) fn foreign_gateways(
        &mut self,
        raw: &[raw::ForeignGateway],
        beside: &Beside<'_>,
        settings: Option<&Settings>,
    ) -> Vec<ForeignGateway> {
        let most = MAX_GATEWAYS as usize - usize::from(beside.own.is_some());
        let own = if beside.own.is_some() { " beside gateway.address" } else { "" };
        self.unless(
            raw.len() > most,
            "foreign_gateway",
            format!("{} gateways; at most {most} fit{own}", raw.len()),
        );
        let mut gateways: Vec<ForeignGateway> = Vec::new();
        for (index, gateway) in raw.iter().enumerate() {
            let key = |name: &str| format!("foreign_gateway[{index}].{name}");
            let checked = self.foreign_gateway(&key, gateway, beside.poll);
            let Some(checked) = checked else { continue };
            let name = &checked.name;
            self.unless(name == OWN_GATEWAY, key("name"), format!("\"{name}\" is the node's own gateway"));
            let peer = beside.peers.iter().any(|peer| peer.name == *name);
            self.unless(peer, key("name"), format!("\"{name}\" is a peer; backends have different names"));
            let twice = gateways.iter().any(|other| other.name == *name);
            self.unless(twice, key("name"), format!("\"{name}\" is listed twice"));
            let address = checked.address;
            let mut others = gateways.iter().map(|other| other.address).chain(beside.own);
            let twice = others.any(|other| other == address);
            self.unless(twice, key("address"), format!("{address} is another gateway's too"));
            self.apart(&key("address"), address, settings);
            gateways.push(checked);
        }
        gateways
    }

    fn foreign_gateway(
        &mut self,
        key: &dyn Fn(&str) -> String,
        raw: &raw::ForeignGateway,
        poll: Duration,
    ) -> Option<ForeignGateway> {
        let missing = || "missing".to_owned();
        let name = raw.name.clone().ok_or_else(missing).and_then(|name| forms::name(&name).map(|()| name));
        let name = self.ok(key("name"), name);
        let url = raw.url.as_deref().ok_or_else(|| "missing: where its functions are listed".to_owned());
        let url = self.ok(key("url"), url.and_then(forms::http_url));
        let credentials = self.credentials(key, &raw.user, &raw.password_file);
        let metrics = self.metrics(key, &raw.metrics);
        let url = url?;
        let address = match raw.address.as_str() {
            "" => forms::url_address(&url).ok_or_else(|| {
                "missing: the host of url is a name; write the IP address and port that take invocations"
                    .to_owned()
            }),
            text => forms::remote_address(text),
        };
        let address = self.ok(key("address"), address);
        // Its functions run elsewhere, as far as this node knows.
        let api = Gateway { url, credentials, poll, metrics, cgroup: None };
        Some(ForeignGateway { name: name?, address: address?, api })
    }

    /// A gateway where users call is the own one, and needs no address.
    fn apart(&mut self, key: &str, address: SocketAddr, settings: Option<&Settings>) {
        let listen = settings.and_then(|settings| settings.listen.iter().position(|at| *at == address));
        if let Some(index) = listen {
            let reason = format!("{address} is dataplane.listen[{index}]: what is there is the own gateway");
            self.unless(true, key, reason);
        }
    }

    fn credentials(
        &mut self,
        key: &dyn Fn(&str) -> String,
        user: &str,
        password_file: &str,
    ) -> Option<(String, Secret)> {
        let mut missing = |name: &str, reason: &str| {
            self.unless(true, key(name), reason);
            None
        };
        match (user.is_empty(), password_file.is_empty()) {
            (true, true) => None,
            (true, false) => missing("user", "missing: password_file is set, so say whose password it is"),
            (false, true) => missing("password_file", "missing: user is set, so say where the password is"),
            (false, false) => {
                let password = self.secret(&key("password_file"), password_file);
                password.map(|password| (user.to_owned(), password))
            }
        }
    }
}
