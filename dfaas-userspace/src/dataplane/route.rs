//! Asking the kernel how a peer is reached: by which interface, from which address.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// The way to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Index of the interface.
    pub interface: u32,
    /// The address from which packets are sent.
    pub source: IpAddr,
}

/// Looks the route to an address up (`RTM_GETROUTE`); the error is the kernel's, for example "network unreachable".
pub fn lookup(to: IpAddr) -> std::io::Result<Route> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let request = request(to);
    let mut buffer = vec![0; request.buffer_len()];
    request.serialize(&mut buffer);
    socket.send(&buffer, 0)?;
    let (answer, _) = socket.recv_from_full()?;
    parse(&answer)
}

fn request(to: IpAddr) -> NetlinkMessage<RouteNetlinkMessage> {
    let mut route = RouteMessage::default();
    let (family, bits) = match to {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    };
    route.header.address_family = family;
    route.header.destination_prefix_length = bits;
    route.attributes.push(RouteAttribute::Destination(RouteAddress::from(to)));
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(RouteNetlinkMessage::GetRoute(route)));
    message.finalize();
    message
}

fn parse(answer: &[u8]) -> std::io::Result<Route> {
    let invalid = |what: String| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let message =
        NetlinkMessage::<RouteNetlinkMessage>::deserialize(answer).map_err(|e| invalid(e.to_string()))?;
    match message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => {
            let mut interface = None;
            let mut source = None;
            for attribute in route.attributes {
                match attribute {
                    RouteAttribute::Oif(index) => interface = Some(index),
                    RouteAttribute::PrefSource(RouteAddress::Inet(a)) => source = Some(IpAddr::V4(a)),
                    RouteAttribute::PrefSource(RouteAddress::Inet6(a)) => source = Some(IpAddr::V6(a)),
                    _ => {}
                }
            }
            match (interface, source) {
                (Some(interface), Some(source)) => Ok(Route { interface, source }),
                _ => Err(invalid("the route has no interface or source address".to_owned())),
            }
        }
        NetlinkPayload::Error(e) => Err(e.to_io()),
        other => Err(invalid(format!("unexpected answer {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_reached_from_itself() {
        let to = IpAddr::from([127, 0, 0, 1]);
        let route = lookup(to).expect("every host has a route to its loopback");
        assert_eq!((route.interface, route.source), (1, to));
    }
}
