use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags};

use super::Finding;

/// Smallest MTU that IPv6 allows; below it, invocations travel badly.
const MIN_MTU: u32 = 1280;

/// What is known of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    mtu: u32,
    up: bool,
}

pub(super) async fn examine(interfaces: &[String]) -> Vec<Finding> {
    match links().await {
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

async fn links() -> Result<BTreeMap<String, Link>, String> {
    let (connection, handle, _) = rtnetlink::new_connection().map_err(|cause| cause.to_string())?;
    let task = tokio::spawn(connection);
    let mut answers = handle.link().get().execute();
    let mut found = BTreeMap::new();
    while let Some(message) = answers.try_next().await.map_err(|cause| cause.to_string())? {
        let mut link = Link { mtu: 0, up: message.header.flags.contains(LinkFlags::Up) };
        let mut name = None;
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(text) => name = Some(text),
                LinkAttribute::Mtu(mtu) => link.mtu = mtu,
                _ => {}
            }
        }
        found.extend(name.map(|name| (name, link)));
    }
    task.abort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[tokio::test]
    async fn the_loopback_interface_is_found_and_an_invented_one_is_not() {
        let findings = examine(&["lo".to_owned(), "dfaas-none".to_owned()]).await;
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
