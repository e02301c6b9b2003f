use std::collections::BTreeSet;
use std::str::FromStr;

/// Most seeds of one command.
const MOST: u64 = 10_000;

/// Seeds, each once, in the order in which they were given: `1-3,7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seeds = Vec::new();
        for part in text.split(',') {
            let (first, last) = range(part.trim())
                .ok_or_else(|| format!("\"{part}\" is no seed; write them as 7, as 1-3, or as 1-3,7"))?;
            if last - first >= MOST || seeds.len() as u64 > MOST {
                return Err(format!("more than {MOST} seeds"));
            }
            seeds.extend(first..=last);
        }
        let mut seen = BTreeSet::new();
        match seeds.iter().find(|seed| !seen.insert(**seed)) {
            Some(seed) => Err(format!("seed {seed} is there twice")),
            None => Ok(Self(seeds)),
        }
    }
}

fn range(text: &str) -> Option<(u64, u64)> {
    match text.split_once('-') {
        None => text.parse().ok().map(|seed| (seed, seed)),
        Some((first, last)) => {
            let range = (first.parse().ok()?, last.parse().ok()?);
            (range.0 <= range.1).then_some(range)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_numbers_and_ranges() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.0);
        assert_eq!(seeds("7"), Ok(vec![7]));
        assert_eq!(seeds("1-3, 9"), Ok(vec![1, 2, 3, 9]));
        assert_eq!(crate::report::seeds(&[1, 2, 3, 9]), "1-3,9");
        for bad in ["", "a", "3-1", "1,,2", "-1", "1-3,2", "0-99999999999"] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
