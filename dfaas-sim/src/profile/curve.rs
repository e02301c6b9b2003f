use serde::Serialize;

/// A quantity against the rate, measured at some rates and straight between them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Curve {
    /// Rate and value, rates rising.
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// A curve through measured points, in any order. Values at the same rate are averaged; points that are not finite
    /// are left out.
    pub fn through(points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut measured: Vec<(f64, f64)> =
            points.into_iter().filter(|(rate, value)| rate.is_finite() && value.is_finite()).collect();
        measured.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let same = measured.chunk_by(|a, b| a.0 == b.0);
        let mean = |points: &[(f64, f64)]| {
            (points[0].0, points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64)
        };
        Self { points: same.map(mean).collect() }
    }

    /// The same points with values that never fall with the rate: the closest such curve by least squares (pool adjacent
    /// violators; Barlow et al., Statistical Inference under Order Restrictions, 1972). Noise makes measured load fall
    /// where it cannot.
    #[must_use]
    pub fn rising(&self) -> Self {
        // Blocks of points that share their mean: sum and number.
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        for (_, value) in &self.points {
            let mut block = (*value, 1);
            while let Some(before) = blocks.pop_if(|before| mean(*before) > mean(block)) {
                block = (block.0 + before.0, block.1 + before.1);
            }
            blocks.push(block);
        }
        let values = blocks.into_iter().flat_map(|block| std::iter::repeat_n(mean(block), block.1));
        Self { points: self.points.iter().map(|(rate, _)| *rate).zip(values).collect() }
    }

    /// The measured points, rates rising.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The value at `rate`. Outside of what was measured it is that of the nearest point; `None` without any.
    pub fn at(&self, rate: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.0 < rate);
        let (first, last) = (self.points.first()?, self.points.last()?);
        Some(match (after.checked_sub(1).and_then(|at| self.points.get(at)), self.points.get(after)) {
            (Some(low), Some(high)) => low.1 + (high.1 - low.1) * (rate - low.0) / (high.0 - low.0),
            (None, _) => first.1,
            (_, None) => last.1,
        })
    }

    /// The slope of the straight line that fits the points best: what one more request a second adds. `None` if fewer
    /// than two rates were measured.
    pub fn slope(&self) -> Option<f64> {
        let count = self.points.len() as f64;
        let (x, y) = self.points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (x, y) = (x / count, y / count);
        let spread: f64 = self.points.iter().map(|point| (point.0 - x).powi(2)).sum();
        let product: f64 = self.points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
        (self.points.len() > 1 && spread > 0.0).then(|| product / spread)
    }
}

fn mean((sum, count): (f64, usize)) -> f64 {
    sum / count as f64
}
