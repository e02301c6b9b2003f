use super::{Trace, TraceError};

/// The largest total, and the sum of the squares of all totals: how uneven a trace is, by what is compared first.
type Unevenness = (f64, f64);

impl Trace {
    /// Rotates the series of each node by an offset of its own, so that the nodes do not peak together: the largest total
    /// of all nodes becomes small and, where that cannot change, the totals even. Days of one place become those of
    /// several time zones.
    ///
    /// The first node, and what is at no node, stays as it is. The others start at even distances; then each in turn takes the best offset for
    /// where the others are, until none finds a better one or all have had `rounds` turns. This finds a local optimum.
    /// Gives the offsets in intervals too, in the order of the nodes.
    ///
    /// # Errors
    /// [`TraceError::Empty`] if the trace has no node.
    pub fn stagger(&self, rounds: usize) -> Result<(Self, Vec<usize>), TraceError> {
        let intervals = self.intervals();
        let names: Vec<String> = self.nodes().into_iter().map(str::to_owned).collect();
        if names.is_empty() || intervals == 0 {
            return Err(TraceError::Empty("node and interval to rotate"));
        }
        let loads: Vec<Vec<f64>> = names.iter().map(|name| self.load_of(Some(name))).collect();
        let nowhere = self.load_of(None);
        let mut offsets: Vec<usize> = (0..names.len()).map(|node| node * intervals / names.len()).collect();
        for _ in 0..rounds {
            let mut better = false;
            for node in 1..names.len() {
                let mut others = nowhere.clone();
                for at in (0..names.len()).filter(|at| *at != node) {
                    others = rotated_sum(&others, &loads[at], offsets[at]);
                }
                let (mut best, before) = (offsets[node], unevenness(&others, &loads[node], offsets[node]));
                let mut least = before;
                for offset in 0..intervals {
                    let found = unevenness(&others, &loads[node], offset);
                    if found < least {
                        (best, least) = (offset, found);
                    }
                }
                // Rounding may tell equal offsets apart for ever.
                if least.0 < before.0 * (1.0 - 1e-12) || least.1 < before.1 * (1.0 - 1e-12) {
                    (offsets[node], better) = (best, true);
                }
            }
            if !better {
                break;
            }
        }
        let mut trace = self.rotate(0, None)?;
        for (name, offset) in names.iter().zip(&offsets) {
            trace = trace.rotate(*offset as i64, Some(name))?;
        }
        Ok((trace, offsets))
    }

    /// All requests at one node, or at none.
    fn load_of(&self, node: Option<&str>) -> Vec<f64> {
        let mut load = vec![0.0; self.intervals()];
        for (_, counts) in self.series().filter(|(key, _)| key.node.as_deref() == node) {
            load.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        load
    }
}

/// Totals of `others` and of a load that is `offset` later.
fn totals<'a>(others: &'a [f64], load: &'a [f64], offset: usize) -> impl Iterator<Item = f64> + 'a {
    let (early, late) = load.split_at(load.len() - offset);
    others.iter().zip(late.iter().chain(early)).map(|(other, own)| other + own)
}

fn rotated_sum(others: &[f64], load: &[f64], offset: usize) -> Vec<f64> {
    totals(others, load, offset).collect()
}

fn unevenness(others: &[f64], load: &[f64], offset: usize) -> Unevenness {
    totals(others, load, offset)
        .fold((0.0, 0.0), |(peak, squares): Unevenness, total| (peak.max(total), squares + total * total))
}
