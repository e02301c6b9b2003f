//! What is known of this node's gateways: their functions, and whether they work.

use std::net::SocketAddr;

use crate::config::Config;
use crate::dataplane::{Gateway, OWN_GATEWAY};
use crate::discovery::Catalogue;

/// Health checks in a row that fail before a gateway is taken to be away: one may be lost.
const MISSES: u32 = 2;

/// A gateway at an address of its own, for those who look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayView {
    /// Its name.
    pub name: String,
    /// Where it takes invocations.
    pub address: SocketAddr,
    /// Why it is taken to be away; `None`: it works.
    pub away: Option<String>,
    /// Why its functions cannot be read; `None`: they can.
    pub error: Option<String>,
    /// Functions that it serves here.
    pub functions: usize,
}

/// One gateway.
#[derive(Debug)]
struct Known {
    /// `None`: the node's own.
    name: Option<String>,
    /// Where it takes invocations; `None`: at the listen addresses.
    address: Option<SocketAddr>,
    /// What it told last.
    catalogue: Option<Catalogue>,
    /// Why it told nothing the last time; `None` if it did, or was not asked yet.
    error: Option<String>,
    /// Health checks that failed since the last that did not.
    misses: u32,
    /// Why the last one failed.
    miss: Option<String>,
}

impl Known {
    fn is_healthy(&self) -> bool {
        self.misses < MISSES
    }

    /// Whether it has been heard of at all.
    fn is_settled(&self) -> bool {
        self.catalogue.is_some() || self.error.is_some()
    }

    fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(OWN_GATEWAY)
    }
}

/// All gateways of the node: its own first, then the others in the order of the file.
#[derive(Debug)]
pub(super) struct Gateways {
    all: Vec<Known>,
}

impl Gateways {
    /// Those of the configuration, of which nothing is known yet.
    pub(super) fn new(config: &Config) -> Self {
        let known = |name: Option<String>, address| Known {
            name,
            address,
            catalogue: None,
            error: None,
            misses: 0,
            miss: None,
        };
        let foreign = config.foreign_gateways.iter().map(|g| known(Some(g.name.clone()), Some(g.address)));
        Self { all: std::iter::once(known(None, config.dataplane.gateway)).chain(foreign).collect() }
    }

    fn find(&mut self, name: Option<&str>) -> Option<&mut Known> {
        self.all.iter_mut().find(|known| known.name.as_deref() == name)
    }

    /// A gateway told its functions, or did not: then what it told last stays.
    pub(super) fn told(&mut self, name: Option<&str>, answer: Result<Catalogue, String>) {
        let Some(known) = self.find(name) else { return };
        match answer {
            Ok(catalogue) => (known.catalogue, known.error) = (Some(catalogue), None),
            Err(error) => known.error = Some(error),
        }
    }

    /// What a gateway told last.
    pub(super) fn catalogue_of(&self, name: Option<&str>) -> Option<&Catalogue> {
        self.all.iter().find(|known| known.name.as_deref() == name)?.catalogue.as_ref()
    }

    /// Why a gateway told nothing the last time.
    pub(super) fn error_of(&self, name: Option<&str>) -> Option<&str> {
        self.all.iter().find(|known| known.name.as_deref() == name)?.error.as_deref()
    }

    /// A gateway answered a health check, or why not; whether it is taken to work now, if that is news.
    pub(super) fn checked(&mut self, name: Option<&str>, answer: Result<(), String>) -> Option<bool> {
        let known = self.find(name)?;
        let before = known.is_healthy();
        match answer {
            Ok(()) => (known.misses, known.miss) = (0, None),
            Err(why) => (known.misses, known.miss) = (known.misses.saturating_add(1), Some(why)),
        }
        let now = known.is_healthy();
        (now != before).then_some(now)
    }

    /// The functions of all, each of the first gateway that has it. Nothing before the own gateway has told, and each
    /// other one has told or failed: else those of a slow one would be forgotten for a moment.
    pub(super) fn catalogue(&self) -> Option<Catalogue> {
        let (own, others) = self.all.split_first()?;
        let mut all = own.catalogue.clone()?;
        if !others.iter().all(Known::is_settled) {
            return None;
        }
        for other in others {
            if let Some(catalogue) = &other.catalogue {
                all.add(other.label(), catalogue);
            }
        }
        Some(all)
    }

    /// Whether the gateway of this name works, as far as is known.
    pub(super) fn is_healthy(&self, name: Option<&str>) -> bool {
        self.all.iter().find(|known| known.name.as_deref() == name).is_none_or(Known::is_healthy)
    }

    /// Those at addresses of their own, as the data plane wants them.
    pub(super) fn placed(&self) -> Vec<Gateway> {
        let placed = self.all.iter().filter_map(|known| {
            let (name, healthy) = (known.label().to_owned(), known.is_healthy());
            Some(Gateway { name, address: known.address?, healthy })
        });
        placed.collect()
    }

    /// The same for those who look; `catalogue` is that of all.
    pub(super) fn views(&self, catalogue: Option<&Catalogue>) -> Vec<GatewayView> {
        let count = |name: &Option<String>| {
            let functions = catalogue.iter().flat_map(|all| all.functions.values());
            functions.filter(|info| info.gateway == *name).count()
        };
        let view = |known: &Known| {
            Some(GatewayView {
                name: known.label().to_owned(),
                address: known.address?,
                away: known.miss.clone().filter(|_| !known.is_healthy()),
                error: known.error.clone(),
                functions: count(&known.name),
            })
        };
        self.all.iter().filter_map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::discovery::ListedFunction;

    fn gateways(more: &str) -> Gateways {
        let text = format!(
            "[dataplane]\ninterfaces = [\"eth0\"]\nlisten = [\"192.0.2.1:8080\"]\n{more}\
             [[foreign_gateway]]\nname = \"b\"\nurl = \"http://192.0.2.2:8080\"\n"
        );
        let none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        Gateways::new(&crate::config::parse(&text, Path::new("a"), "a", &none).unwrap())
    }

    fn having(names: &[&str]) -> Catalogue {
        let listed = |name: &&str| ListedFunction { name: (*name).to_owned(), ..ListedFunction::default() };
        let listed: Vec<_> = names.iter().map(listed).collect();
        Catalogue::new(&listed, "openfaas-fn", &BTreeMap::new())
    }

    fn homes(gateways: &Gateways) -> Vec<(String, Option<String>)> {
        let all = gateways.catalogue().expect("known functions");
        all.functions.into_iter().map(|(name, info)| (name, info.gateway)).collect()
    }

    #[test]
    fn functions_are_known_once_every_gateway_has_told_or_failed_and_stay_with_one_that_fails() {
        let mut gateways = gateways("");
        gateways.told(Some("b"), Ok(having(&["env"])));
        assert_eq!(gateways.catalogue(), None, "the own gateway comes first");
        gateways.told(None, Err("refused".to_owned()));
        assert_eq!(gateways.catalogue(), None);
        gateways.told(None, Ok(having(&["figlet"])));
        let both = [("env".to_owned(), Some("b".to_owned())), ("figlet".to_owned(), None)];
        assert_eq!(homes(&gateways), both);
        for name in [None, Some("b")] {
            gateways.told(name, Err("refused".to_owned()));
        }
        assert_eq!(homes(&gateways), both);
        assert_eq!(gateways.error_of(Some("b")), Some("refused"));
        gateways.told(None, Ok(having(&["figlet", "env"])));
        assert!(homes(&gateways).iter().all(|(_, gateway)| gateway.is_none()), "the own one is first");
    }

    #[test]
    fn a_gateway_that_was_never_heard_of_is_waited_for_until_it_fails() {
        let mut gateways = gateways("");
        gateways.told(None, Ok(having(&["figlet"])));
        assert_eq!(gateways.catalogue(), None);
        gateways.told(Some("b"), Err("refused".to_owned()));
        assert_eq!(homes(&gateways), [("figlet".to_owned(), None)]);
    }

    #[test]
    fn two_misses_in_a_row_make_it_away_and_one_answer_brings_it_back() {
        let mut gateways = gateways("[gateway]\naddress = \"10.0.0.1:8080\"\n");
        let miss = || Err("no answer".to_owned());
        assert_eq!(gateways.checked(Some("b"), miss()), None);
        assert_eq!(gateways.checked(Some("b"), Ok(())), None);
        assert_eq!(gateways.checked(Some("b"), miss()), None);
        assert!(gateways.is_healthy(Some("b")), "one miss may be a lost answer");
        assert_eq!(gateways.checked(Some("b"), miss()), Some(false));
        assert_eq!(gateways.checked(Some("b"), miss()), None, "no news");
        let healthy: Vec<bool> = gateways.placed().iter().map(|gateway| gateway.healthy).collect();
        assert_eq!(healthy, [true, false]);
        assert_eq!(gateways.views(None)[1].away.as_deref(), Some("no answer"));
        assert_eq!(gateways.checked(Some("b"), Ok(())), Some(true));
        assert_eq!(gateways.views(None)[1].away, None);
    }

    #[test]
    fn only_gateways_at_addresses_of_their_own_are_the_data_planes_affair() {
        let names = |gateways: &Gateways| {
            gateways.placed().into_iter().map(|g| (g.name, g.address.to_string())).collect::<Vec<_>>()
        };
        let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        assert_eq!(names(&gateways("")), [pair("b", "192.0.2.2:8080")]);
        let own = gateways("[gateway]\naddress = \"10.0.0.1:8080\"\n");
        assert_eq!(names(&own), [pair("gateway", "10.0.0.1:8080"), pair("b", "192.0.2.2:8080")]);
    }
}
