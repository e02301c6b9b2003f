//! Asking the kernel how a backend is reached: by which interface, from which address, with how large packets.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::link::Links;

/// The way to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Index of the interface.
    pub interface: u32,
    /// The address from which packets are sent.
    pub source: IpAddr,
    /// Bytes of the largest IP packet that fits the way, as far as this host knows.
    pub mtu: u32,
}

/// What the kernel says of a route.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    interface: Option<u32>,
    source: Option<IpAddr>,
    /// Set at the route itself; else the interface's holds.
    mtu: Option<u32>,
}

/// Looks the route to an address up (`RTM_GETROUTE`); the error is the kernel's, for example "network unreachable".
pub fn lookup(to: IpAddr, links: &Links) -> io::Result<Route> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let request = request(to);
    let mut buffer = vec![0; request.buffer_len()];
    request.serialize(&mut buffer);
    socket.send(&buffer, 0)?;
    let (answer, _) = socket.recv_from_full()?;
    let told = parse(&answer)?;
    let missing = |what: &str| io::Error::new(ErrorKind::InvalidData, format!("the route has no {what}"));
    let interface = told.interface.ok_or_else(|| missing("interface"))?;
    let of_link = || links.at(interface).map(|(_, link)| link.mtu);
    Ok(Route {
        interface,
        source: told.source.map_or_else(|| source(to), Ok)?,
        mtu: told.mtu.or_else(of_link).ok_or_else(|| missing("interface of this network namespace"))?,
    })
}

/// The address from which this host would send to `to`. Nothing is sent.
fn source(to: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Any port will do: it is only looked up.
    socket.connect((to, 9))?;
    Ok(socket.local_addr()?.ip())
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

fn parse(answer: &[u8]) -> io::Result<Told> {
    let invalid = |what: String| io::Error::new(ErrorKind::InvalidData, what);
    let message =
        NetlinkMessage::<RouteNetlinkMessage>::deserialize(answer).map_err(|e| invalid(e.to_string()))?;
    match message.payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route)) => told(route),
        NetlinkPayload::Error(e) => Err(e.to_io()),
        other => Err(invalid(format!("unexpected answer {other:?}"))),
    }
}

fn told(route: RouteMessage) -> io::Result<Told> {
    // Over IPv6 the kernel also tells routes that lead nowhere.
    if !matches!(route.header.kind, RouteType::Unicast | RouteType::Local | RouteType::Anycast) {
        return Err(io::Error::new(ErrorKind::NetworkUnreachable, format!("{:?} route", route.header.kind)));
    }
    let mut told = Told::default();
    for attribute in route.attributes {
        match attribute {
            RouteAttribute::Oif(index) => told.interface = Some(index),
            RouteAttribute::PrefSource(RouteAddress::Inet(a)) => told.source = Some(IpAddr::V4(a)),
            RouteAttribute::PrefSource(RouteAddress::Inet6(a)) => told.source = Some(IpAddr::V6(a)),
            RouteAttribute::Metrics(metrics) => {
                told.mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) if *mtu > 0 => Some(*mtu),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::sched::{CloneFlags, unshare};

    use super::*;

    #[test]
    fn the_loopback_is_reached_from_itself_over_both_families() {
        let links = Links::read().unwrap();
        for to in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let route = lookup(to, &links).expect("every host has a route to its loopback");
            assert_eq!((route.interface, route.source), (1, to));
            assert_eq!(route.mtu, links.named("lo").unwrap().mtu);
            assert_eq!(source(to).unwrap(), to, "what is asked where the answer names none");
        }
    }

    fn ip(words: &str) {
        let status = Command::new("ip").args(words.split(' ')).status();
        assert!(status.expect("`ip`: `cargo xtask setup` installs it").success(), "ip {words}");
    }

    /// On a thread with a network of its own, which goes with it.
    fn in_a_network_of_its_own(test: impl FnOnce() + Send) {
        let test = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network of its own: tests need root");
            test();
        };
        std::thread::scope(|scope| scope.spawn(test).join().expect("no panic"));
    }

    #[test]
    fn a_route_tells_its_own_mtu_or_that_of_its_interface_and_one_that_leads_nowhere_is_an_error() {
        in_a_network_of_its_own(|| {
            ip("link add name a0 mtu 1400 type veth peer name b0");
            for words in [
                "address add 10.9.0.1/24 dev a0",
                "address add fd09::1/64 dev a0 nodad",
                "link set dev a0 up",
                "link set dev b0 up",
                "route add 10.9.1.0/24 via 10.9.0.2 mtu 1300",
                "-6 route add fd09:1::/64 via fd09::2 mtu 1320",
                "-6 route add unreachable fd09:2::/64",
                "route add unreachable 10.9.2.0/24",
            ] {
                ip(words);
            }
            let links = Links::read().unwrap();
            let told = |to: &str| lookup(to.parse().unwrap(), &links).map(|route| (route.source, route.mtu));
            for (to, source, mtu) in [
                ("10.9.0.2", "10.9.0.1", 1400),
                ("10.9.1.2", "10.9.0.1", 1300),
                ("fd09::2", "fd09::1", 1400),
                ("fd09:1::2", "fd09::1", 1320),
            ] {
                assert_eq!(told(to).unwrap(), (source.parse::<IpAddr>().unwrap(), mtu), "{to}");
            }
            for nowhere in ["fd09:2::1", "10.9.2.1", "192.0.2.1", "2001:db8::1"] {
                assert!(told(nowhere).is_err(), "{nowhere}");
            }
        });
    }
}
