use rand::Rng;
use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::error::amount;

/// Where a node stands, in kilometres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Kilometres to the east.
    pub x: f64,
    /// Kilometres to the north.
    pub y: f64,
}

impl Position {
    /// Kilometres as the crow flies.
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// `nodes` positions, uniform on a square with sides of `side` kilometres.
///
/// # Errors
/// [`NetworkError::Parameter`] if `side` is negative or not finite.
pub fn scattered(nodes: usize, side: f64, rng: &mut impl Rng) -> Result<Vec<Position>, NetworkError> {
    amount("side of the square", side)?;
    let mut coordinate = || side * rng.random::<f64>();
    Ok((0..nodes).map(|_| Position { x: coordinate(), y: coordinate() }).collect())
}
