//! Whether backends are reached through interfaces that the data plane watches.

use std::net::{IpAddr, SocketAddr};

use super::Finding;
use crate::config::Config;
use crate::dataplane::{Links, OWN_GATEWAY, route_to};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let statics = config.static_peers.iter().map(|peer| (format!("peer {}", peer.name), peer.address));
    let listed =
        config.overlay_peers.iter().filter_map(|(id, peer)| Some((format!("peer {id}"), peer.data?.ip())));
    let gateways = config.foreign_gateways.iter().map(|gateway| (gateway.name.as_str(), gateway.address));
    let own = config.dataplane.gateway.map(|address| (OWN_GATEWAY, address));
    let gateways = own.into_iter().chain(gateways);
    let gateways = gateways.map(|(name, at): (&str, SocketAddr)| (format!("gateway {name}"), at.ip()));
    let Ok(links) = Links::read() else { return Vec::new() };
    let all = statics.chain(listed).chain(gateways);
    all.map(|(check, ip)| reached(&check, ip, &links, &config.dataplane.interfaces)).collect()
}

fn reached(check: &str, ip: IpAddr, links: &Links, interfaces: &[String]) -> Finding {
    let route = match route_to(ip, links) {
        Ok(route) => route,
        Err(cause) => {
            return Finding::warn(
                check,
                format!("no route to {ip}: {cause}"),
                format!("see `ip route get {ip}`"),
            );
        }
    };
    let through = links.at(route.interface).map_or("?", |(name, _)| name);
    if !interfaces.iter().any(|name| name == through) {
        let found =
            format!("{ip} is reached through {through}, which is not watched: its answers are not seen");
        return Finding::warn(check, found, "add the interface where they come in to dataplane.interfaces");
    }
    Finding::ok(check, format!("{ip} is reached through {through}, MTU {}", route.mtu))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_backend_behind_an_interface_that_is_not_watched_is_told() {
        let links = Links::read().unwrap();
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(reached("peer b", loopback, &links, &["lo".to_owned()]).level, Level::Ok);
        let elsewhere = reached("peer b", loopback, &links, &["eth0".to_owned()]);
        assert_eq!(elsewhere.level, Level::Warn);
        assert!(elsewhere.found.contains("through lo, which is not watched"), "{elsewhere:?}");
    }
}
