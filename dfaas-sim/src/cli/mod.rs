//! The commands `dfaas sim trace`, `generate` and `fuzz`: their arguments, and what they do with them.
//!
//! A command gives back what it prints; it reads and writes only the files that its arguments name.

mod files;
mod fuzz;
mod generate;
mod network;
mod table;
mod text;
mod trace;

pub use files::CommandError;
pub use fuzz::{Fuzz, fuzz};
pub use generate::{Generate, generate};
pub use trace::{TraceCommand, trace};
