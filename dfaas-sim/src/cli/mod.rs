//! The commands `dfaas sim ...`: their arguments, and what they do with them.
//!
//! A command gives back what it prints; it reads and writes only the files that its arguments name.

mod bound;
mod command;
mod compare;
mod files;
mod fuzz;
mod generate;
mod network;
mod outputs;
mod run;
mod seeds;
mod selection;
mod text;
mod trace;

use crate::columns as table;

pub use bound::{Bound, bound};
pub use command::{Sim, sim};
pub use compare::{Compare, compare};
pub use files::{CommandError, Source};
pub use fuzz::{Fuzz, fuzz};
pub use generate::{Generate, generate};
pub use outputs::Outputs;
pub use run::{RunCommand, run};
pub use seeds::Seeds;
pub use selection::Selection;
pub use trace::{TraceCommand, trace};
