use std::collections::BTreeMap;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::Finding;

/// Smallest MTU that IPv6 allows; below it, invocations travel badly.
const MIN_MTU: u32 = 1280;

/// What is known of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    mtu: u32,
    up: bool,
}

pub(super) fn examine(interfaces: &[String]) -> Vec<Finding> {
    match links() {
        Ok(links) => interfaces.iter().map(|name| judge(name, links.get(name))).collect(),
        Err(cause) => vec![Finding::warn("interfaces", cause, "netlink must answer")],
    }
}

fn judge(name: &str, link: Option<&Link>) -> Finding {
    let check = format!("interface {name}");
    match link {
        None => {
            Finding::fail(&check, "not there", "correct dataplane.interfaces; `ip link` lists what there is")
        }
        Some(Link { mtu, up: false }) => {
            Finding::warn(&check, format!("down, MTU {mtu}"), format!("ip link set {name} up"))
        }
        Some(Link { mtu, .. }) if *mtu < MIN_MTU => {
            Finding::warn(&check, format!("MTU {mtu}"), format!("raise it to {MIN_MTU} or more"))
        }
        Some(Link { mtu, .. }) => Finding::ok(&check, format!("up, MTU {mtu}")),
    }
}

/// Asks the kernel for all interfaces of this network namespace, which is not always the one that `/sys` shows.
fn links() -> Result<BTreeMap<String, Link>, String> {
    let mut socket = Socket::new(NETLINK_ROUTE).map_err(|cause| cause.to_string())?;
    socket.bind_auto().map_err(|cause| cause.to_string())?;
    socket.connect(&SocketAddr::new(0, 0)).map_err(|cause| cause.to_string())?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let mut request = NetlinkMessage::new(header, NetlinkPayload::from(request));
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0).map_err(|cause| cause.to_string())?;
    let mut found = BTreeMap::new();
    loop {
        let (answer, _) = socket.recv_from_full().map_err(|cause| cause.to_string())?;
        let mut rest = answer.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest);
            let message = message.map_err(|cause| cause.to_string())?;
            // Messages begin at multiples of four bytes.
            let length = (message.header.length as usize).next_multiple_of(4).clamp(4, rest.len().max(4));
            rest = rest.get(length..).unwrap_or_default();
            match message.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => found.extend(read(link)),
                NetlinkPayload::Done(_) => return Ok(found),
                NetlinkPayload::Error(cause) => return Err(cause.to_io().to_string()),
                _ => {}
            }
        }
    }
}

fn read(message: LinkMessage) -> Option<(String, Link)> {
    let mut link = Link { mtu: 0, up: message.header.flags.contains(LinkFlags::Up) };
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
    use crate::doctor::Level;

    #[test]
    fn the_loopback_interface_is_found_and_an_invented_one_is_not() {
        let findings = examine(&["lo".to_owned(), "dfaas-none".to_owned()]);
        assert!(findings[0].found.contains("MTU"), "{findings:?}");
        assert_eq!(findings[1].level, Level::Fail);
        assert_eq!(findings[1].check, "interface dfaas-none");
    }

    #[test]
    fn a_link_that_is_down_or_too_small_is_a_warning() {
        assert_eq!(judge("a", Some(&Link { mtu: 1500, up: true })).level, Level::Ok);
        assert_eq!(judge("a", Some(&Link { mtu: 1500, up: false })).level, Level::Warn);
        assert_eq!(judge("a", Some(&Link { mtu: 576, up: true })).level, Level::Warn);
    }
}
