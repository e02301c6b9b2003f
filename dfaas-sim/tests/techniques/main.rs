//! Techniques of the simulator, by cases worked out by hand.

mod auction;
mod data_driven;
mod host;
mod model_driven;
mod names;
mod properties;
mod serverledge;
