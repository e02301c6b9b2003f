/// What a run served, beside what could have been served. All by the same measure, summed over the same windows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Comparison {
    /// What the run served in time.
    pub served: f64,
    /// The bound with the run's own neighbours.
    pub neighbours: f64,
    /// The bound if everyone could forward to everyone.
    pub everyone: f64,
}

impl Comparison {
    /// Adds another window or run.
    pub fn add(&mut self, other: &Self) {
        self.served += other.served;
        self.neighbours += other.neighbours;
        self.everyone += other.everyone;
    }

    /// Part of the bound that is lost as no node knows everything, with the neighbours that it has: 0 is perfect. Below 0 if
    /// a run did work of one window in the next. 0 if nothing could be served.
    pub fn price_of_decentralisation(&self) -> f64 {
        1.0 - ratio(self.served, self.neighbours)
    }

    /// The bound with the run's neighbours as a part of that without limits to who they are: 1 is perfect.
    pub fn partial_view(&self) -> f64 {
        ratio(self.neighbours, self.everyone)
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 1.0 }
}
