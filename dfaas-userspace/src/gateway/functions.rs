//! The functions of a gateway, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::function::Function;
use super::name::FunctionName;

type Map = BTreeMap<FunctionName, Arc<Function>>;

/// The deployed functions. Changes are seen by the next invocation; those that run go on with what they started.
#[derive(Debug, Default)]
pub struct Functions(RwLock<Map>);

impl Functions {
    fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Map> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function of that name.
    pub fn get(&self, name: &FunctionName) -> Option<Arc<Function>> {
        self.read().get(name).map(Arc::clone)
    }

    /// All functions, sorted by namespace and name.
    pub fn all(&self) -> Vec<(FunctionName, Arc<Function>)> {
        self.read().iter().map(|(name, function)| (name.clone(), Arc::clone(function))).collect()
    }

    /// Adds a function. `false`, changing nothing, when the name is taken.
    pub fn add(&self, name: FunctionName, function: Function) -> bool {
        let mut map = self.write();
        if map.contains_key(&name) {
            return false;
        }
        map.insert(name, Arc::new(function));
        true
    }

    /// Replaces a function, keeping its age and replicas. `false` when there is none of that name.
    pub fn update(&self, name: &FunctionName, mut function: Function) -> bool {
        let mut map = self.write();
        let Some(old) = map.get_mut(name) else { return false };
        function.inherit(old);
        *old = Arc::new(function);
        true
    }

    /// Removes a function. `false` when there is none of that name.
    pub fn remove(&self, name: &FunctionName) -> bool {
        self.write().remove(name).is_some()
    }
}
