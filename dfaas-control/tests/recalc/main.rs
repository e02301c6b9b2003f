//! `recalc`: nodes that grant each other what their own users leave.

mod capacities;
mod federation;
mod host;
mod network;
mod node;
mod words;
