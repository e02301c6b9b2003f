//! The functions: by which names callers know them, and which gateway serves them here.

use std::collections::{BTreeMap, BTreeSet};

use dfaas_common::plan::{Name, name_key};

use super::kernel::{Kernel, map_error};
use super::{DataPlaneError, Function};

/// What is known of a function in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Its number.
    pub number: u32,
    /// The gateway that serves it; `None`: the default one.
    pub gateway: Option<String>,
}

impl Kernel {
    /// Makes these the functions. Where a function is served is written before a name leads to it.
    pub(super) fn put_functions(&mut self, functions: &[Function]) -> Result<(), DataPlaneError> {
        let mut names = BTreeMap::new();
        let mut known = BTreeMap::new();
        for function in functions {
            let keys: Vec<Name> = function.spellings.iter().filter_map(|s| name_key(s)).collect();
            if keys.is_empty() {
                tracing::warn!(
                    "function {:?} has a name that cannot be steered; it is served locally",
                    function.name
                );
                continue;
            }
            let gateway = self.gateway_number(function.gateway.as_deref())?;
            let (number, lost) = self
                .function_numbers
                .assign(&function.name, |name| functions.iter().any(|f| f.name == name))?;
            if lost.is_some() {
                self.forget_function(number)?;
            }
            self.write_home(number, gateway)?;
            known.insert(function.name.clone(), Known { number, gateway: function.gateway.clone() });
            names.extend(keys.into_iter().map(|key| (key, number)));
        }
        self.put_names(&names)?;
        let numbers: BTreeSet<u32> = known.values().map(|known| known.number).collect();
        let planned: Vec<u32> = self.plans.keys().collect::<Result<_, _>>().map_err(map_error("PLANS"))?;
        for number in planned.iter().filter(|n| !numbers.contains(n)) {
            self.plans.remove(number).map_err(map_error("PLANS"))?;
        }
        self.known_functions = known;
        Ok(())
    }

    fn put_names(&mut self, names: &BTreeMap<Name, u32>) -> Result<(), DataPlaneError> {
        let present: Vec<(Name, u32)> =
            self.names.iter().collect::<Result<_, _>>().map_err(map_error("NAMES"))?;
        for (key, _) in present.iter().filter(|(key, _)| !names.contains_key(key)) {
            self.names.remove(key).map_err(map_error("NAMES"))?;
        }
        for (key, number) in names {
            if !present.contains(&(*key, *number)) {
                self.names.insert(key, number, 0).map_err(map_error("NAMES"))?;
            }
        }
        Ok(())
    }
}
