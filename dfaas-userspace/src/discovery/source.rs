use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::error::DiscoveryError;
use super::memory::Memory;
use super::provider::{Listing, Provider};
use crate::config::FunctionOverride;

/// The functions of one provider as this node sees them: named, with labels read and overrides laid over them.
///
/// It remembers what was told, so that a passing failure to tell a part loses no function.
#[derive(Debug)]
pub struct Source {
    provider: Arc<dyn Provider>,
    overrides: BTreeMap<String, FunctionOverride>,
    before: Option<Listing>,
    memory: Option<Memory>,
}

impl Source {
    /// The functions of `provider`, with `overrides` by function in any spelling.
    pub fn new(provider: Arc<dyn Provider>, overrides: BTreeMap<String, FunctionOverride>) -> Self {
        Self { provider, overrides, before: None, memory: None }
    }

    /// Has it keep what the provider tells in `memory`; and what was kept there of this provider, if anything.
    pub fn remember(&mut self, mut memory: Memory) -> Option<Catalogue> {
        self.before = memory.recall(self.provider.address());
        self.memory = Some(memory);
        self.before.as_ref().map(|listing| self.read(listing))
    }

    /// Asks the provider.
    ///
    /// # Errors
    /// If it does not answer, or not as it should.
    pub async fn catalogue(&mut self) -> Result<Catalogue, DiscoveryError> {
        let listing = self.provider.list(self.before.as_ref()).await?;
        let catalogue = self.read(&listing);
        if let Some(memory) = &mut self.memory {
            memory.keep(&listing);
        }
        self.before = Some(listing);
        Ok(catalogue)
    }

    fn read(&self, listing: &Listing) -> Catalogue {
        Catalogue::new(&listing.functions, listing.default_namespace(), &self.overrides)
    }
}
