/// What a node has granted its peers, as it told them: to see that a raise never adds up to more than it has.
#[derive(Debug)]
pub(super) struct Grants {
    told: Vec<f32>,
    headroom: f32,
    raised: bool,
}

/// Sums of numbers that have 24 bits each differ from their exact value by no more than this part.
const ROUNDING: f32 = 1e-4;

impl Grants {
    pub(super) fn new(backends: usize) -> Self {
        Self { told: vec![0.0; backends], headroom: 0.0, raised: false }
    }

    /// A peer is told this.
    pub(super) fn tell(&mut self, peer: usize, grant: f32, headroom: f32) {
        self.raised |= grant > self.told[peer];
        self.told[peer] = grant;
        self.headroom = headroom;
    }

    /// A peer is no peer any more.
    pub(super) fn forget(&mut self, peer: usize) {
        self.told[peer] = 0.0;
    }

    /// All of what is said at one moment was said; what was granted and what there is, if a grant was raised beyond it.
    pub(super) fn check(&mut self) -> Result<(), (f32, f32)> {
        if !std::mem::take(&mut self.raised) {
            return Ok(());
        }
        let sum: f32 = self.told.iter().sum();
        if sum <= self.headroom * (1.0 + ROUNDING) + ROUNDING { Ok(()) } else { Err((sum, self.headroom)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raise_beyond_the_headroom_is_seen_and_a_cut_is_none() {
        let mut grants = Grants::new(3);
        grants.tell(1, 1.0, 2.0);
        grants.tell(2, 1.0, 2.0);
        assert_eq!(grants.check(), Ok(()));
        grants.tell(1, 0.8, 1.0);
        assert_eq!(grants.check(), Ok(()), "others are cut at the next tick");
        grants.tell(1, 0.9, 1.0);
        assert_eq!(grants.check(), Err((1.9, 1.0)));
        grants.forget(2);
        grants.tell(1, 1.0, 1.0);
        assert_eq!(grants.check(), Ok(()));
    }
}
