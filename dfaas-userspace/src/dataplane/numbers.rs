//! The numbers by which the programs know functions and peers. A name keeps its number over restarts, also while it
//! is away, so that counters never change their meaning; only when all numbers are taken is one given anew.

use std::collections::BTreeMap;

use aya::maps::{Array, MapData};
use dfaas_common::plan::Name;

use super::DataPlaneError;
use super::convert::{label, unlabel};

/// Names and their numbers, kept in a map of labels.
pub struct Numbers {
    map: &'static str,
    labels: Array<MapData, Name>,
    by_name: BTreeMap<String, u32>,
}

impl Numbers {
    /// Reads the labels that are there. Number 0 is never given.
    pub fn read(map: &'static str, labels: Array<MapData, Name>) -> Result<Self, DataPlaneError> {
        let mut by_name = BTreeMap::new();
        for number in 1..labels.len() {
            let name =
                labels.get(&number, 0).map_err(|e| DataPlaneError::Map { map, cause: e.to_string() })?;
            if name[0] != 0 {
                by_name.insert(unlabel(&name), number);
            }
        }
        Ok(Self { map, labels, by_name })
    }

    /// The number of a name, if it has one.
    pub fn get(&self, name: &str) -> Option<u32> {
        self.by_name.get(&unlabel(&label(name))).copied()
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> Option<&str> {
        self.by_name.iter().find(|(_, n)| **n == number).map(|(name, _)| name.as_str())
    }

    /// Every name with its number, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, u32)> {
        self.by_name.iter().map(|(name, number)| (name.as_str(), *number))
    }

    /// The number of a name, given now if need be. `in_use` says which names may not lose theirs; the second value is
    /// the name that lost its number to this one.
    pub fn assign(
        &mut self,
        name: &str,
        in_use: impl Fn(&str) -> bool,
    ) -> Result<(u32, Option<String>), DataPlaneError> {
        if let Some(number) = self.get(name) {
            return Ok((number, None));
        }
        let free = (1..self.labels.len()).find(|n| !self.by_name.values().any(|used| used == n));
        let (number, lost) = match free {
            Some(number) => (number, None),
            None => {
                let victim = self.by_name.iter().find(|(name, _)| !in_use(name));
                let Some((victim, number)) = victim.map(|(name, number)| (name.clone(), *number)) else {
                    let limit = self.labels.len() as usize - 1;
                    return Err(DataPlaneError::Full { what: format!("entries of {}", self.map), limit });
                };
                self.by_name.remove(&victim);
                (number, Some(victim))
            }
        };
        let text = label(name);
        self.labels
            .set(number, text, 0)
            .map_err(|e| DataPlaneError::Map { map: self.map, cause: e.to_string() })?;
        self.by_name.insert(unlabel(&text), number);
        Ok((number, lost))
    }
}
