//! The interfaces of this network namespace, as the kernel tells them; `/sys` does not always show the same ones.

use std::collections::BTreeMap;
use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// What is known of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Bytes of the largest IP packet that it carries.
    pub mtu: u32,
    /// Whether it is switched on.
    pub up: bool,
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
    let up = message.header.flags.contains(LinkFlags::Up);
    let mut link = Link { index: message.header.index, mtu: 0, up };
    let mut name = None;
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text),
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
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
        assert_eq!(links.at(loopback.index), Some(("lo", loopback)));
        assert_eq!(links.named("dfaas-none"), None);
    }
}
