use std::collections::BTreeMap;
use std::fmt::Debug;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::error::DiscoveryError;

/// The namespace of functions that are named without one, unless the provider tells otherwise.
pub const DEFAULT_NAMESPACE: &str = "openfaas-fn";

/// Whoever runs functions at this node and tells which: the agent asks it, and nothing else, about functions.
///
/// [`OpenFaas`](super::OpenFaas) speaks to OpenFaaS, faasd and `dfaas gateway`. Another kind of provider is another
/// implementation; how invocations reach it (`/function/NAME` at its address) is the data plane's affair.
pub trait Provider: Debug + Send + Sync {
    /// Where it is asked. What it told is remembered under this.
    fn address(&self) -> &str;

    /// Its functions. `before` is what it told the last time: parts that cannot be read now may be taken from there.
    ///
    /// # Errors
    /// If it does not answer, or not as it should.
    fn list<'a>(&'a self, before: Option<&'a Listing>) -> BoxFuture<'a, Result<Listing, DiscoveryError>>;

    /// Whether it takes invocations, or why not. `None`: there is nobody to ask, and it is taken to.
    fn health(&self) -> Option<BoxFuture<'_, Result<(), String>>> {
        None
    }

    /// What it counted so far, by whichever way invocations came. `None`: it tells nobody.
    fn counts(&self) -> Option<BoxFuture<'_, Result<Counts, DiscoveryError>>> {
        None
    }
}

/// One function as its provider lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFunction {
    /// Name without a namespace.
    pub name: String,
    /// Namespace, if the provider told.
    pub namespace: Option<String>,
    /// Labels; empty if null or absent.
    pub labels: BTreeMap<String, String>,
    /// Replicas that are ready; 0 if absent.
    pub available_replicas: u64,
}

/// What a provider told; overrides of the configuration are not in it, so that they may change meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// [`Provider::address`] of the one that told it: another one's functions are of no use.
    pub gateway: String,
    /// Its namespaces; empty if it has none to tell.
    pub namespaces: Vec<String>,
    /// Its functions.
    pub functions: Vec<ListedFunction>,
}

impl Listing {
    /// The namespace of functions that are named without one: the usual one if the provider has it or tells nothing,
    /// else its only one.
    pub fn default_namespace(&self) -> &str {
        match self.namespaces.as_slice() {
            [only] => only,
            _ => DEFAULT_NAMESPACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_namespace_of_a_provider_is_the_default_one() {
        let of = |names: &[&str]| {
            let namespaces = names.iter().map(|name| (*name).to_owned()).collect();
            Listing { namespaces, ..Listing::default() }.default_namespace().to_owned()
        };
        assert_eq!(of(&[]), "openfaas-fn");
        assert_eq!(of(&["prod"]), "prod");
        assert_eq!(of(&["dev", "openfaas-fn"]), "openfaas-fn");
    }
}
