//! IPv4 and IPv6: whether peers of each family reach the data port, and then the gateway.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libp2p::multiaddr::Protocol;
use tokio::net::TcpStream;

use super::Finding;
use crate::config::Config;
use crate::dataplane::own_addresses;

/// Longest wait for the gateway to accept a connection.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let addresses = match config.dataplane.data_address {
        Some(address) => vec![address],
        None => own_addresses(&config.dataplane.interfaces).unwrap_or_default(),
    };
    let mut findings = Vec::new();
    for v6 in used(config) {
        let family = if v6 { "IPv6" } else { "IPv4" };
        let check = format!("data port over {family}");
        let here = addresses.iter().find(|ip| ip.is_ipv6() == v6).copied();
        findings.push(match here {
            Some(ip) => {
                Finding::ok(&check, format!("at {}", SocketAddr::new(ip, config.dataplane.data_port)))
            }
            None => {
                let advice = format!("give an interface of dataplane.interfaces an {family} address");
                Finding::warn(
                    &check,
                    format!("peers use {family}, and this node has no such address"),
                    advice,
                )
            }
        });
        if let Some(at) = here.and_then(|ip| delivery(config, ip)) {
            findings.push(accepted(&format!("gateway for peers over {family}"), at).await);
        }
    }
    findings
}

/// The families over which peers come, as far as the configuration tells; true is IPv6.
fn used(config: &Config) -> BTreeSet<bool> {
    let statics = config.static_peers.iter().map(|peer| peer.address);
    let listed = config.overlay_peers.values().filter_map(|peer| Some(peer.data?.ip()));
    let known = statics.chain(listed).chain(config.dataplane.data_address).map(|ip| ip.is_ipv6());
    let listening = config.overlay.iter().flat_map(|overlay| &overlay.listen);
    let listening = listening.filter_map(|address| match address.iter().next()? {
        // The node's card names this one alone.
        _ if config.dataplane.data_address.is_some() => None,
        Protocol::Ip4(_) => Some(false),
        Protocol::Ip6(_) => Some(true),
        _ => None,
    });
    known.chain(listening).collect()
}

/// Where invocations are delivered that come to this address from peers, if no listen address says so.
fn delivery(config: &Config, ip: IpAddr) -> Option<SocketAddr> {
    let listen = &config.dataplane.listen;
    let said = config.dataplane.gateway.is_some() || listen.iter().any(|at| at.is_ipv6() == ip.is_ipv6());
    if said { None } else { Some(SocketAddr::new(ip, listen.first()?.port())) }
}

async fn accepted(check: &str, at: SocketAddr) -> Finding {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(at)).await {
        Ok(Ok(_)) => Finding::ok(check, format!("accepts at {at}")),
        _ => Finding::warn(
            check,
            format!("accepts nothing at {at}, where their invocations are delivered"),
            "let it listen for both families, or add an address of this family to dataplane.listen",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::doctor::Level;

    fn config(listen: &str, more: &str) -> Config {
        let text = format!("[dataplane]\ninterfaces = [\"lo\"]\nlisten = [\"{listen}\"]\n{more}");
        let none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        crate::config::parse(&text, Path::new("a"), "a", &none).unwrap()
    }

    const PEER: &str = "[[static_peer]]\nname = \"b\"\naddress = \"2001:db8::2\"\n";

    #[test]
    fn families_are_those_of_peers_of_the_data_address_and_of_the_overlay() {
        let families = |more: &str| used(&config("192.0.2.1:8080", more)).into_iter().collect::<Vec<_>>();
        assert_eq!(families(""), [false; 0]);
        assert_eq!(families(PEER), [true]);
        let open = "[overlay]\ninsecure_open = true\n";
        assert_eq!(families(open), [false]);
        assert_eq!(families(&format!("{open}data_address = \"2001:db8::1\"\n")), [true]);
        assert_eq!(
            families(&format!("{open}listen = [\"/ip6/::/tcp/31600\", \"/ip4/0.0.0.0/tcp/31600\"]\n")),
            [false, true]
        );
    }

    #[tokio::test]
    async fn a_gateway_that_does_not_accept_what_peers_of_the_other_family_send_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // The loopback has ::1, where nobody listens.
        let deaf = examine(&config(&format!("127.0.0.1:{port}"), PEER)).await;
        let levels: Vec<Level> = deaf.iter().map(|finding| finding.level).collect();
        assert_eq!(levels, [Level::Ok, Level::Warn], "{deaf:?}");
        let _both = tokio::net::TcpListener::bind(("::1", port)).await.unwrap();
        let well = examine(&config(&format!("127.0.0.1:{port}"), PEER)).await;
        assert!(well.iter().all(|finding| finding.level == Level::Ok) && well.len() == 2, "{well:?}");
        // A listen address of the family is looked at where listen addresses are.
        assert_eq!(examine(&config(&format!("[::1]:{port}"), PEER)).await.len(), 1);
    }
}
