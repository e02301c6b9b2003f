use std::path::Path;

use super::Finding;
use crate::dataplane::{Link, Links, Mode, Nic, Settings, decide, versioned};

/// Smallest MTU that IPv6 allows; below it, invocations travel badly.
const MIN_MTU: u32 = 1280;

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    match Links::read() {
        Ok(links) => check(&settings.interfaces, settings.mode, &versioned(&settings.pin), &links),
        Err(cause) => vec![Finding::warn("interfaces", cause.to_string(), "netlink must answer")],
    }
}

/// What there is to say of interfaces; `folder` is where links are pinned.
fn check(interfaces: &[String], mode: Mode, folder: &Path, links: &Links) -> Vec<Finding> {
    let each = interfaces.iter().flat_map(|name| {
        let front = Nic::read(name, links, folder).map(|nic| front(mode, &nic));
        [Some(judge(name, links.named(name))), front]
    });
    each.flatten().chain(differences(interfaces, links)).collect()
}

/// Where handshakes are answered at an interface, or would be.
fn front(mode: Mode, nic: &Nic) -> Finding {
    let check = format!("handshakes {}", nic.name);
    match decide(mode, nic) {
        Ok(attachment) => Finding::ok(&check, format!("{}: {}", attachment.word(), attachment.why)),
        Err(why) => Finding::fail(&check, why, "set dataplane.mode to \"auto\" or \"tcx\""),
    }
}

/// Interfaces that carry packets of different sizes: segments are kept to the smallest.
fn differences(interfaces: &[String], links: &Links) -> Option<Finding> {
    // The loopback is no path to anybody else.
    let others = interfaces.iter().filter(|name| *name != "lo");
    let known: Vec<(&str, u32)> =
        others.filter_map(|name| Some((name.as_str(), links.named(name)?.mtu))).collect();
    let smallest = known.iter().map(|(_, mtu)| *mtu).min()?;
    if known.iter().all(|(_, mtu)| *mtu == smallest) {
        return None;
    }
    let all: Vec<String> = known.iter().map(|(name, mtu)| format!("{name} {mtu}")).collect();
    let found = format!("{}: clients are told the segments that fit {smallest}", all.join(", "));
    Some(Finding::warn("MTU", found, "works; the same MTU everywhere carries more in each packet"))
}

fn judge(name: &str, link: Option<&Link>) -> Finding {
    let check = format!("interface {name}");
    match link {
        None => {
            Finding::fail(&check, "not there", "correct dataplane.interfaces; `ip link` lists what there is")
        }
        Some(Link { mtu, up: false, .. }) => {
            Finding::warn(&check, format!("down, MTU {mtu}"), format!("ip link set {name} up"))
        }
        Some(Link { mtu, .. }) if *mtu < MIN_MTU => {
            Finding::warn(&check, format!("MTU {mtu}"), format!("raise it to {MIN_MTU} or more"))
        }
        Some(Link { mtu, .. }) => Finding::ok(&check, format!("up, MTU {mtu}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn the_loopback_interface_is_found_and_an_invented_one_is_not() {
        let names = ["lo".to_owned(), "dfaas-none".to_owned()];
        let findings = check(&names, Mode::XdpNative, Path::new("/"), &Links::read().unwrap());
        assert!(findings[0].found.contains("MTU"), "{findings:?}");
        assert_eq!(findings[1], Finding::ok("handshakes lo", "tcx: the loopback has no driver"));
        assert_eq!((findings[2].level, findings.len()), (Level::Fail, 3), "{findings:?}");
        assert_eq!(findings[2].check, "interface dfaas-none");
    }

    #[test]
    fn an_interface_that_cannot_what_is_asked_is_a_failure_that_says_what_to_do() {
        let nic = Nic { name: "eth0".to_owned(), driver: "e1000".to_owned(), ..Nic::default() };
        let found = front(Mode::XdpNative, &nic);
        assert_eq!((found.level, found.check.as_str()), (Level::Fail, "handshakes eth0"));
        assert!(found.found.contains("driver e1000") && found.advice.contains("\"auto\""), "{found:?}");
        assert_eq!(front(Mode::Auto, &nic).level, Level::Ok);
    }

    #[test]
    fn interfaces_of_different_mtus_are_told_and_the_loopback_is_not_among_them() {
        let links = |users, peers| {
            let link = |index, mtu| Link { index, mtu, up: true, ..Link::default() };
            let all = [("lo", link(1, 65_536)), ("users", link(2, users)), ("peers", link(3, peers))];
            all.map(|(name, link)| (name.to_owned(), link)).into_iter().collect::<Links>()
        };
        let names = ["lo", "users", "peers", "none"].map(str::to_owned);
        assert_eq!(differences(&names, &links(1500, 1500)), None);
        let found = differences(&names, &links(1500, 1420)).unwrap();
        assert_eq!(
            (found.level, found.found.contains("users 1500, peers 1420")),
            (Level::Warn, true),
            "{found:?}"
        );
    }

    #[test]
    fn a_link_that_is_down_or_too_small_is_a_warning() {
        let link = |mtu, up| Link { index: 1, mtu, up, ..Link::default() };
        assert_eq!(judge("a", Some(&link(1500, true))).level, Level::Ok);
        assert_eq!(judge("a", Some(&link(1500, false))).level, Level::Warn);
        assert_eq!(judge("a", Some(&link(576, true))).level, Level::Warn);
    }
}
