//! The topology file: which nodes are always neighbours of this one, and which never.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::{Multiaddr, PeerId};
use serde::Deserialize;
use toml::Spanned;

use super::forms;
use super::positions::line_of;

/// What an operator says of neighbours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// Nodes with which there is always a link, and where they are if the file says so.
    pub pinned: BTreeMap<PeerId, Option<Multiaddr>>,
    /// Nodes with which there is never one.
    pub banned: BTreeSet<PeerId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    pin: Vec<Spanned<String>>,
    ban: Vec<Spanned<String>>,
}

impl Default for Raw {
    fn default() -> Self {
        Self { pin: Vec::new(), ban: Vec::new() }
    }
}

/// Reads a topology file of the node; `most` is the most nodes that can be pinned, `allow` the nodes of the federation
/// (empty: whoever comes). `Err` has everything that is wrong, each as `line: key: reason`.
pub(super) fn parse(text: &str, most: usize, allow: &BTreeSet<PeerId>) -> Result<Topology, Vec<String>> {
    let raw: Raw = toml::from_str(text).map_err(|cause| {
        let line = cause.span().map_or(1, |span| line_of(text, span.start));
        vec![format!("{line}: {}", cause.message())]
    })?;
    let mut wrong = Vec::new();
    let mut topology = Topology::default();
    for (index, entry) in raw.pin.iter().enumerate() {
        let mut complain = |reason: String| wrong.push(complaint(text, "pin", index, entry, &reason));
        match pin(entry.get_ref()) {
            Err(reason) => complain(reason),
            Ok((id, _)) if topology.pinned.contains_key(&id) => complain(format!("{id} is pinned twice")),
            Ok((id, _)) if !allow.is_empty() && !allow.contains(&id) => {
                complain(format!("{id} is not in overlay.allow"));
            }
            Ok((id, address)) => drop(topology.pinned.insert(id, address)),
        }
        if index == most {
            wrong.push(complaint(text, "pin", index, entry, &format!("at most {most} nodes can be pinned")));
        }
    }
    for (index, entry) in raw.ban.iter().enumerate() {
        let mut complain = |reason: String| wrong.push(complaint(text, "ban", index, entry, &reason));
        match forms::peer_id(entry.get_ref()) {
            Err(reason) => complain(reason),
            Ok(id) if topology.pinned.contains_key(&id) => complain(format!("{id} is pinned, too")),
            Ok(id) if !topology.banned.insert(id) => complain(format!("{id} is banned twice")),
            Ok(_) => {}
        }
    }
    if wrong.is_empty() { Ok(topology) } else { Err(wrong) }
}

fn pin(text: &str) -> Result<(PeerId, Option<Multiaddr>), String> {
    if text.starts_with('/') {
        forms::bootstrap(text).map(|(id, address)| (id, Some(address)))
    } else {
        forms::peer_id(text).map(|id| (id, None))
    }
}

fn complaint(text: &str, key: &str, index: usize, entry: &Spanned<String>, reason: &str) -> String {
    format!("{}: {key}[{index}]: {reason}", line_of(text, entry.span().start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<PeerId> {
        (0..4).map(|_| PeerId::random()).collect()
    }

    fn wrong(text: &str) -> Vec<String> {
        parse(text, 24, &BTreeSet::new()).unwrap_err()
    }

    #[test]
    fn nodes_are_pinned_by_id_or_address_and_banned_by_id() {
        let ids = ids();
        let text = format!(
            "# of the site\npin = [\n  \"{}\",\n  \"/ip4/192.0.2.1/tcp/31600/p2p/{}\",\n]\nban = [\"{}\"]\n",
            ids[0], ids[1], ids[2]
        );
        let topology = parse(&text, 24, &BTreeSet::new()).unwrap();
        assert_eq!(topology.pinned[&ids[0]], None);
        assert!(topology.pinned[&ids[1]].as_ref().unwrap().to_string().starts_with("/ip4/192.0.2.1"));
        assert_eq!(topology.banned, [ids[2]].into());
        assert_eq!(parse("", 24, &BTreeSet::new()), Ok(Topology::default()));
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_key_all_at_once() {
        let ids = ids();
        let (a, b) = (ids[0], ids[1]);
        let text = format!(
            "pin = [\"{a}\",\n \"x\", \"{a}\", \"/dns/x/tcp/1/p2p/{a}\"]\nban = [\n\"{a}\", \"{b}\",\n\"{b}\"]\n"
        );
        let told = wrong(&text);
        let begins =
            ["2: pin[1]: \"x\" is not a peer id", "2: pin[2]: ", "2: pin[3]: ", "4: ban[0]: ", "5: ban[2]: "];
        assert_eq!(told.len(), begins.len(), "{told:?}");
        for (told, begin) in told.iter().zip(begins) {
            assert!(told.starts_with(begin), "{told} does not begin with {begin}");
        }
    }

    #[test]
    fn a_misspelt_key_and_what_is_no_toml_are_told_with_their_line() {
        let told = wrong("pin = []\npins = []\n");
        assert!(told[0].starts_with("2: ") && told[0].contains("pins"), "{told:?}");
        let told = wrong("pin = []\nban = [\n");
        assert!(told[0].starts_with("2: ") || told[0].starts_with("3: "), "{told:?}");
        assert!(wrong("pin = \"x\"\n")[0].starts_with("1: "));
    }

    #[test]
    fn pins_are_bounded_and_members_of_the_federation() {
        let ids = ids();
        let list = |ids: &[PeerId]| ids.iter().map(|id| format!("\"{id}\",")).collect::<String>();
        let text = format!("pin = [{}]\n", list(&ids));
        let told = parse(&text, 3, &BTreeSet::new()).unwrap_err();
        assert_eq!(told, ["1: pin[3]: at most 3 nodes can be pinned"]);
        let allow = ids[..3].iter().copied().collect();
        let told = parse(&text, 24, &allow).unwrap_err();
        assert_eq!(told, [format!("1: pin[3]: {} is not in overlay.allow", ids[3])]);
    }
}
