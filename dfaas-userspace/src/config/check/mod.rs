//! From the file as written to the checked configuration, gathering every error on the way.

mod gateways;
mod node;
mod overlay;
mod sharing;

use std::io;
use std::path::Path;
use std::time::Duration;

use super::model::{Config, Secret};
use super::{forms, ports, raw};
use crate::dataplane::Settings;

/// Reads a file that the configuration names; the real one reads the disk.
pub(super) type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

pub(super) struct Checker<'a> {
    /// Key and reason of each error.
    pub errors: Vec<(String, String)>,
    pub read: ReadFile<'a>,
    pub host_name: &'a str,
}

impl Checker<'_> {
    /// Notes a failure under `key` and goes on with nothing.
    fn ok<T>(&mut self, key: impl Into<String>, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(reason) => {
                self.errors.push((key.into(), reason));
                None
            }
        }
    }

    fn unless(&mut self, wrong: bool, key: impl Into<String>, reason: impl Into<String>) {
        if wrong {
            self.errors.push((key.into(), reason.into()));
        }
    }

    fn duration(&mut self, key: &str, value: Duration, least: Duration, most: Duration) {
        let wrong = value < least || value > most;
        self.unless(wrong, key, format!("{value:?} is out of bounds; {least:?} to {most:?} are allowed"));
    }

    fn secret(&mut self, key: &str, path: &str) -> Option<Secret> {
        let text = (self.read)(Path::new(path)).map_err(|cause| format!("cannot read {path}: {cause}"));
        let text = self.ok(key, text)?;
        let line = text.lines().next().unwrap_or_default();
        self.unless(line.is_empty(), key, format!("the first line of {path} is empty"));
        Some(Secret::new(line))
    }

    /// The whole configuration, or `None` if there were errors.
    pub(super) fn config(&mut self, file: &Path, raw: raw::Raw) -> Option<Config> {
        let name = raw.node.name.unwrap_or_else(|| self.host_name.to_owned());
        self.ok("node.name", forms::name(&name));
        self.ok("node.region", forms::region(&raw.node.region));
        let overlay = raw.overlay.as_ref().map(|overlay| self.overlay(overlay, raw.control.neighbours));
        let (overlay, data_address) = overlay.unwrap_or_default();
        let dataplane = self.dataplane(raw.dataplane, data_address);
        let gateway = self.gateway(&raw.gateway);
        let own = self.gateway_address(&raw.gateway.address, dataplane.as_ref());
        let dataplane = dataplane.map(|settings| Settings { gateway: own, ..settings });
        let control = self.control(&raw.control);
        let functions = self.functions(raw.functions);
        let (static_peers, overlay_peers) =
            self.static_peers(&raw.static_peer, &name, dataplane.as_ref(), overlay.is_some());
        let beside = gateways::Beside { own, poll: raw.gateway.poll, peers: &static_peers };
        let foreign_gateways = self.foreign_gateways(&raw.foreign_gateway, &beside, dataplane.as_ref());
        let admin = self.admin(&raw.admin);
        if let Some(settings) = &dataplane {
            let mut claims = Vec::new();
            for (index, text) in raw.overlay.iter().flat_map(|overlay| &overlay.listen).enumerate() {
                let listen = forms::overlay_listen(text).ok();
                claims.extend(listen.map(|listen| (format!("overlay.listen[{index}]"), listen.port)));
            }
            let listen = admin.as_ref().and_then(|admin| admin.listen);
            claims.extend(listen.map(|address| ("admin.listen".to_owned(), address.port())));
            self.errors.extend(ports::overlaps(settings, &claims));
        }
        if !self.errors.is_empty() {
            return None;
        }
        Some(Config {
            file: file.to_owned(),
            name,
            region: raw.node.region,
            dataplane: dataplane?,
            gateway: gateway?,
            foreign_gateways,
            control,
            functions,
            static_peers,
            overlay,
            overlay_peers,
            admin: admin?,
            without_effect: Vec::new(),
        })
    }
}
