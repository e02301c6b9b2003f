use std::collections::BTreeSet;
use std::time::Duration;

use dfaas_control::Time;

use super::core::Wanted;

/// Periods for which an earlier agent's plans are left in force at most. They live for three and a half.
const PATIENCE: u32 = 2;

/// The first moments of an agent that took a data plane over: peers and plans of the earlier agent stay as they are until
/// this one has found the same peers again, or for two periods. Else each restart would be a moment without peers.
#[derive(Debug, PartialEq)]
pub(super) struct Settling {
    until: Time,
    earlier: BTreeSet<String>,
}

impl Settling {
    /// Begins, if there were peers.
    pub(super) fn begin(now: Time, period: Duration, earlier: Vec<String>) -> Option<Self> {
        let until = now.after(period * PATIENCE);
        (!earlier.is_empty()).then(|| Self { until, earlier: earlier.into_iter().collect() })
    }

    /// Whether it is over: the earlier peers are all there again, or it took too long.
    pub(super) fn is_over(&self, now: Time, takers: &BTreeSet<String>) -> bool {
        now >= self.until || self.earlier.is_subset(takers)
    }

    /// Those of the wanted peers that the data plane still takes invocations from.
    pub(super) fn kept(&self, wanted: &Wanted) -> BTreeSet<String> {
        wanted.peers.iter().map(|peer| peer.name.clone()).filter(|name| self.earlier.contains(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_the_earlier_peers_are_there_again_or_after_two_periods() {
        let at = |millis| Time(Duration::from_millis(millis));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let period = Duration::from_secs(1);
        assert_eq!(Settling::begin(at(0), period, Vec::new()), None);
        let settling = Settling::begin(at(500), period, vec!["b".to_owned(), "c".to_owned()]).unwrap();
        assert!(!settling.is_over(at(2_400), &names(&["b"])));
        assert!(settling.is_over(at(600), &names(&["a", "b", "c"])));
        assert!(settling.is_over(at(2_500), &names(&[])));
    }
}
