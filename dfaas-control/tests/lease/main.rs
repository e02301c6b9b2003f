//! The strategy `lease`: nodes that grant each other capacity.

mod federation;
mod fluid;
mod host;
mod loads;
mod network;
mod node;
mod words;
