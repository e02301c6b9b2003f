use rayon::prelude::*;

use super::check::{Broken, Case};
use super::draw::draw;
use crate::techniques::UnknownTechnique;

/// Scenarios that are run side by side.
const AT_ONCE: u64 = 4;

/// Most checks to make a scenario smaller.
const SHRINKING: usize = 400;

/// A search through seeds: each draws a scenario, which is run with each technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Names of the techniques.
    pub techniques: Vec<String>,
    /// The first seed; the next one follows it, and so on.
    pub seed: u64,
}

/// A scenario in which something is broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What is broken in the scenario as it was drawn.
    pub first: Broken,
    /// The same with a smaller scenario. The seed draws the first one too.
    pub case: Case,
    /// What is broken there.
    pub broken: Broken,
}

impl Search {
    /// Checks scenarios until something is broken, or `more`, asked with the number of scenarios checked, says that it is
    /// enough; `started` hears of each case before it is run. The number of scenarios without fault, and the first one with.
    ///
    /// # Errors
    /// If there is no such technique.
    pub fn run(
        &self,
        mut more: impl FnMut(u64) -> bool,
        started: impl Fn(&Case) + Sync,
    ) -> Result<(u64, Option<Found>), UnknownTechnique> {
        let mut done = 0;
        while more(done) {
            let seeds: Vec<u64> = (done..done + AT_ONCE).map(|n| self.seed.wrapping_add(n)).collect();
            let checked = seeds.into_par_iter().map(|seed| self.check(seed, &started));
            for found in checked.collect::<Result<Vec<_>, _>>()? {
                let Some((case, first)) = found else {
                    done += 1;
                    continue;
                };
                started(&case);
                let (case, broken) = case.shrink(first.clone(), SHRINKING);
                return Ok((done, Some(Found { first, case, broken })));
            }
        }
        Ok((done, None))
    }

    fn check(&self, seed: u64, started: &impl Fn(&Case)) -> Result<Option<(Case, Broken)>, UnknownTechnique> {
        let scenario = draw(seed);
        for technique in &self.techniques {
            let case = Case::new(scenario.clone(), technique, seed);
            started(&case);
            if let Some(broken) = case.check()? {
                return Ok(Some((case, broken)));
            }
        }
        Ok(None)
    }
}
