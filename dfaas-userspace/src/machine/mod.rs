//! What this machine has and uses: processors, memory, and the processor time of functions, from `/proc` and cgroups.
//!
//! [`parse`] reads texts and knows no files, [`Pattern`] says where a function's cgroups are, [`Machine`] looks there.

mod meter;
mod parse;
mod pattern;
mod tree;

use std::collections::BTreeMap;
use std::time::Duration;

pub use meter::{FunctionName, Machine};
pub use pattern::Pattern;

/// Where functions of faasd are, whose containers are named so by containerd: the default of `gateway.cgroup`.
pub const DEFAULT_PATTERN: &str = "{namespace}/{function}";

/// One look at the machine. `None`, or no entry: it could not be measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Processors that functions can use.
    pub cores: Option<f64>,
    /// Processor time used so far, by anything.
    pub busy: Option<Duration>,
    /// Memory that is free or can be made so, in bytes.
    pub memory_free: Option<u64>,
    /// All of the memory, in bytes.
    pub memory_total: Option<u64>,
    /// Processor time that the containers of functions used so far, by canonical name.
    pub functions: BTreeMap<String, Duration>,
}
