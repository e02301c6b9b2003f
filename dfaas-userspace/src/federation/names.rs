//! Names of peers in metrics, plans and commands: each belongs to one node, whatever nodes call themselves.

use std::collections::BTreeMap;

use libp2p::PeerId;

/// Longest name, as in configuration files and the kernel's labels.
const LONGEST: usize = 63;

/// Characters of a peer id that tell two nodes of one name apart.
const SUFFIX: usize = 6;

/// Who is called what.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_id: BTreeMap<PeerId, String>,
    /// Names that no node of the overlay gets: this node's own, and those of the configuration.
    reserved: Vec<String>,
}

impl Names {
    pub(super) fn new(reserved: Vec<String>) -> Self {
        Self { by_id: BTreeMap::new(), reserved }
    }

    /// The name of a node that calls itself `wanted`. Who came first keeps a name; others get the end of their id
    /// behind a `~`, which no node can have in its own name.
    pub(super) fn assign(&mut self, id: PeerId, wanted: &str) -> String {
        let is_own = |name: &String| {
            name == wanted || name.split_once('~').is_some_and(|(plain, _)| plain == cut(wanted))
        };
        if let Some(name) = self.by_id.get(&id).filter(|name| is_own(name)) {
            return name.clone();
        }
        self.by_id.remove(&id);
        let taken = self.reserved.iter().chain(self.by_id.values()).any(|name| name == wanted);
        let name = if taken { told_apart(wanted, &id) } else { wanted.to_owned() };
        self.by_id.insert(id, name.clone());
        name
    }

    /// Forgets a node that is gone for good.
    pub(super) fn forget(&mut self, id: &PeerId) {
        self.by_id.remove(id);
    }
}

fn told_apart(name: &str, id: &PeerId) -> String {
    let id = id.to_base58();
    format!("{}~{}", cut(name), &id[id.len() - SUFFIX..])
}

/// A name with room for what tells it apart; names are ASCII.
fn cut(name: &str) -> &str {
    name.get(..LONGEST - SUFFIX - 1).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_keeps_its_name_and_the_second_is_told_apart_by_its_id() {
        let (a, b) = (PeerId::random(), PeerId::random());
        let mut names = Names::new(vec!["me".to_owned()]);
        assert_eq!(names.assign(a, "milan"), "milan");
        let second = names.assign(b, "milan");
        assert!(second.starts_with("milan~") && b.to_base58().ends_with(&second[6..]), "{second}");
        assert_eq!(names.assign(a, "milan"), "milan");
        assert_eq!(names.assign(b, "milan"), second, "it does not change from beat to beat");
        names.forget(&a);
        assert_eq!(names.assign(b, "milan"), second, "not even when the first has gone");
        assert_eq!(names.assign(b, "turin"), "turin");
        assert_eq!(names.assign(a, "milan"), "milan");
    }

    #[test]
    fn nobody_takes_this_nodes_name_or_one_of_the_configuration() {
        let mut names = Names::new(vec!["me".to_owned()]);
        assert!(names.assign(PeerId::random(), "me").starts_with("me~"));
        let long = "x".repeat(LONGEST);
        let (a, b) = (PeerId::random(), PeerId::random());
        assert_eq!(names.assign(a, &long), long);
        let second = names.assign(b, &long);
        assert_eq!(second.len(), LONGEST);
        assert_eq!(names.assign(b, &long), second);
    }
}
