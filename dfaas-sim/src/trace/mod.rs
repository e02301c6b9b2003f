//! Arrivals over time, measured or made.
