//! The interfaces of this network namespace, as the kernel tells them; `/sys` does not always show the same ones.

use std::collections::BTreeMap;
use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, LinkXdp};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// What an interface is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A device with a driver of its own.
    #[default]
    Physical,
    /// The loopback.
    Loopback,
    /// One end of a pair.
    Veth,
    /// A VLAN on another interface.
    Vlan,
    /// A bridge.
    Bridge,
    /// Something else that is made of software.
    Virtual,
}

impl From<&InfoKind> for Kind {
    fn from(kind: &InfoKind) -> Self {
        match kind {
            InfoKind::Veth => Self::Veth,
            InfoKind::Vlan => Self::Vlan,
            InfoKind::Bridge => Self::Bridge,
            _ => Self::Virtual,
        }
    }
}

/// What is known of an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Bytes of the largest IP packet that it carries.
    pub mtu: u32,
    /// Whether it is switched on.
    pub up: bool,
    /// What it is.
    pub kind: Kind,
    /// Index of the interface that it is on, or of the other end of its pair, perhaps in another network namespace.
    pub lower: Option<u32>,
    /// Index of the interface whose port it is.
    pub controller: Option<u32>,
    /// Number of the XDP program that is attached.
    pub xdp: Option<u32>,
}

/// All interfaces, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    by_name: BTreeMap<String, Link>,
}

impl Links {
    /// Asks the kernel.
    pub fn read() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(request));
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        socket.send(&bytes, 0)?;
        let mut by_name = BTreeMap::new();
        loop {
            let (answer, _) = socket.recv_from_full()?;
            if take(&answer, &mut by_name)? {
                return Ok(Self { by_name });
            }
        }
    }

    /// The interface of this name.
    pub fn named(&self, name: &str) -> Option<&Link> {
        self.by_name.get(name)
    }

    /// Names and interfaces that are on the one with this index.
    pub fn on(&self, index: u32) -> impl Iterator<Item = (&str, &Link)> {
        let all = self.by_name.iter().map(|(name, link)| (name.as_str(), link));
        all.filter(move |(_, link)| link.lower == Some(index))
    }

    /// Name and interface with this index.
    pub fn at(&self, index: u32) -> Option<(&str, &Link)> {
        let found = self.by_name.iter().find(|(_, link)| link.index == index);
        found.map(|(name, link)| (name.as_str(), link))
    }
}

impl FromIterator<(String, Link)> for Links {
    fn from_iter<T: IntoIterator<Item = (String, Link)>>(links: T) -> Self {
        Self { by_name: links.into_iter().collect() }
    }
}

/// Takes one part of the answer; whether it was the last.
fn take(answer: &[u8], found: &mut BTreeMap<String, Link>) -> io::Result<bool> {
    let mut rest = answer;
    while !rest.is_empty() {
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
            .map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, cause.to_string()))?;
        // Messages begin at multiples of four bytes.
        let length = (message.header.length as usize).next_multiple_of(4).clamp(4, rest.len().max(4));
        rest = rest.get(length..).unwrap_or_default();
        match message.payload {
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => found.extend(read(link)),
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(cause) => return Err(cause.to_io()),
            _ => {}
        }
    }
    Ok(false)
}

fn read(message: LinkMessage) -> Option<(String, Link)> {
    let flags = message.header.flags;
    let kind = if flags.contains(LinkFlags::Loopback) { Kind::Loopback } else { Kind::Physical };
    let up = flags.contains(LinkFlags::Up);
    let mut link = Link { index: message.header.index, up, kind, ..Link::default() };
    let mut name = None;
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text),
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::Link(index) => link.lower = Some(index),
            LinkAttribute::Controller(index) => link.controller = Some(index),
            LinkAttribute::LinkInfo(infos) => {
                let kind = infos.iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind.into()),
                    _ => None,
                });
                link.kind = kind.unwrap_or(link.kind);
            }
            LinkAttribute::Xdp(parts) => {
                link.xdp = parts.iter().find_map(|part| match part {
                    // Programs of several modes at one time have no common number, but numbers of their own.
                    LinkXdp::ProgId(number)
                    | LinkXdp::DrvProgId(number)
                    | LinkXdp::SkbProgId(number)
                    | LinkXdp::HwProgId(number) => Some(*number).filter(|number| *number != 0),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    Some((name?, link))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_found_by_name_and_by_index() {
        let links = Links::read().unwrap();
        let loopback = links.named("lo").unwrap();
        assert!(loopback.mtu >= 1280, "{loopback:?}");
        assert_eq!((loopback.kind, loopback.lower, loopback.xdp), (Kind::Loopback, None, None));
        assert_eq!(links.at(loopback.index), Some(("lo", loopback)));
        assert_eq!(links.named("dfaas-none"), None);
    }
}
