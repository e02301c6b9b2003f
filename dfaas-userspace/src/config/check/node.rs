//! The tables about this node: data plane, admin.

use std::net::IpAddr;
use std::path::PathBuf;

use super::super::model::Admin;
use super::super::{forms, raw};
use super::Checker;
use crate::dataplane::{Mode, Settings};

impl Checker<'_> {
    pub(super) fn dataplane(
        &mut self,
        raw: raw::DataPlane,
        data_address: Option<IpAddr>,
    ) -> Option<Settings> {
        let before = self.errors.len();
        let interfaces = raw.interfaces.unwrap_or_default();
        self.unless(
            interfaces.is_empty(),
            "dataplane.interfaces",
            "missing: name the interfaces where users, peers and backends come in, like [\"eth0\"]",
        );
        for (index, interface) in interfaces.iter().enumerate() {
            let key = format!("dataplane.interfaces[{index}]");
            let valid = !interface.is_empty() && interface.len() < 16 && !interface.contains(['/', ' ']);
            self.unless(!valid, &*key, format!("\"{interface}\" cannot be the name of an interface"));
            self.unless(
                interfaces[..index].contains(interface),
                key,
                format!("\"{interface}\" is listed twice"),
            );
        }
        let mut listen = Vec::new();
        let listed = raw.listen.unwrap_or_default();
        self.unless(
            listed.is_empty(),
            "dataplane.listen",
            "missing: name the addresses at which users call the gateway, like [\"192.0.2.10:8080\"]",
        );
        for (index, text) in listed.iter().enumerate() {
            let key = format!("dataplane.listen[{index}]");
            let Some(address) = self.ok(&*key, forms::socket_address(text)) else { continue };
            self.unless(
                address.ip().is_unspecified(),
                &*key,
                format!("{address} names no address; write the one that users call"),
            );
            self.unless(listen.contains(&address), key, format!("{address} is listed twice"));
            listen.push(address);
        }
        let mut users = Vec::new();
        for (index, text) in raw.users.iter().enumerate() {
            let net = text
                .parse::<ipnet::IpNet>()
                .map_err(|_| format!("\"{text}\" is not a network, like 198.51.100.0/24 or 2001:db8::/32"));
            users.extend(self.ok(format!("dataplane.users[{index}]"), net));
        }
        self.unless(raw.data_port == 0, "dataplane.data_port", "0 is not a port");
        let snat_ports = self.ok("dataplane.snat_ports", forms::port_range(&raw.snat_ports));
        let unknown = || format!("\"{}\" is not one of auto, tcx, xdp-native", raw.mode);
        let mode = self.ok("dataplane.mode", Mode::of(&raw.mode).ok_or_else(unknown));
        self.unless(
            !raw.pin.starts_with('/'),
            "dataplane.pin",
            format!("\"{}\" is not an absolute path", raw.pin),
        );
        let bounds = 16..=4_194_304;
        self.unless(
            !bounds.contains(&raw.max_flows),
            "dataplane.max_flows",
            format!("{} is out of bounds; 16 to 4194304 are allowed", raw.max_flows),
        );
        (self.errors.len() == before).then_some(Settings {
            interfaces,
            listen,
            users,
            data_port: raw.data_port,
            data_address,
            gateway: None,
            mode: mode?,
            snat_ports: snat_ports?,
            pin: PathBuf::from(raw.pin),
            max_flows: raw.max_flows,
            forwarded_for: raw.forwarded_for,
            packet_log: false,
        })
    }

    pub(super) fn admin(&mut self, raw: &raw::Admin) -> Option<Admin> {
        self.unless(
            !raw.socket.starts_with('/'),
            "admin.socket",
            format!("\"{}\" is not an absolute path", raw.socket),
        );
        // sockaddr_un holds 107 bytes, and the socket is made under a name that ends in `.new`.
        self.unless(raw.socket.len() > 103, "admin.socket", "longer than the 103 bytes that fit");
        let listen = if raw.listen.is_empty() {
            None
        } else {
            self.ok("admin.listen", forms::socket_address(&raw.listen))
        };
        let token =
            if raw.token_file.is_empty() { None } else { self.secret("admin.token_file", &raw.token_file) };
        if let Some(address) = listen.filter(|address| !address.ip().is_loopback()) {
            self.unless(
                raw.token_file.is_empty(),
                "admin.token_file",
                format!("missing: admin.listen {address} is not loopback"),
            );
        }
        Some(Admin { socket: PathBuf::from(&raw.socket), listen, token })
    }
}
