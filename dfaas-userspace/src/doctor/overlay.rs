use std::fs::read_to_string;
use std::path::Path;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::Finding;
use super::ports::bound;
use crate::config::{Config, Overlay};
use crate::overlay::identity::{self, IdentityError};

/// What the overlay needs; nothing where none is wanted.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let Some(overlay) = &config.overlay else { return Vec::new() };
    let mut findings = vec![identity(&overlay.identity), guard(overlay)];
    findings.extend(overlay.listen.iter().filter_map(listen));
    findings.push(probes(config.dataplane.data_port));
    findings
}

fn identity(file: &Path) -> Finding {
    match identity::load(file) {
        Ok(key) => Finding::ok("identity", key.public().to_peer_id().to_string()),
        Err(IdentityError::Missing(_)) => {
            let found = format!("{} is not there; it is made at the first start", file.display());
            Finding::warn("identity", found, "`dfaas id new` makes it now, for the allow lists of the others")
        }
        Err(error) => Finding::fail("identity", error.to_string(), "correct it, or make another identity"),
    }
}

fn guard(overlay: &Overlay) -> Finding {
    match (overlay.allow.len(), overlay.psk.is_some()) {
        (0, false) => {
            let advice = "list the federation in overlay.allow, or give it a swarm key";
            Finding::warn("overlay guard", "everybody who reaches the overlay is let in", advice)
        }
        (0, true) => Finding::ok("overlay guard", "the swarm key; by TCP only"),
        (ids, false) => Finding::ok("overlay guard", format!("{ids} peer ids")),
        (ids, true) => Finding::ok("overlay guard", format!("{ids} peer ids, and the swarm key")),
    }
}

fn listen(address: &Multiaddr) -> Option<Finding> {
    let (protocol, port) = address.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(("tcp", port)),
        Protocol::Udp(port) => Some(("udp", port)),
        _ => None,
    })?;
    Some(free(&format!("overlay {address}"), protocol, port))
}

fn probes(port: u16) -> Finding {
    free(&format!("data_port {port} by udp"), "udp", port)
}

/// The running agent itself may be there, so it is no failure.
fn free(check: &str, protocol: &str, port: u16) -> Finding {
    let tables = [format!("/proc/self/net/{protocol}"), format!("/proc/self/net/{protocol}6")];
    if tables.iter().any(|table| bound(&read_to_string(table).unwrap_or_default(), port)) {
        let advice = format!("well if it is this agent; `ss -lnp sport = :{port}` tells who");
        return Finding::warn(check, "in use", advice);
    }
    Finding::ok(check, "free")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_missing_identity_is_a_warning_and_one_that_others_can_read_a_failure() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("identity.pem");
        assert_eq!(identity(&file).level, Level::Warn);
        let key = identity::create(&file).unwrap();
        let found = identity(&file);
        assert_eq!((found.level, found.found), (Level::Ok, key.public().to_peer_id().to_string()));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(identity(&file).level, Level::Fail);
    }

    #[test]
    fn a_port_in_use_is_told() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert_eq!(probes(port).level, Level::Warn);
        drop(socket);
        let address = format!("/ip4/127.0.0.1/udp/{port}/quic-v1").parse().unwrap();
        assert_eq!(listen(&address).unwrap().level, Level::Ok);
    }
}
