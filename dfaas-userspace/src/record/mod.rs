//! `dfaas record`: what a running agent counts, as files that the simulator reads.
//!
//! [`Tally`] turns readings into counts of intervals and sums, [`view`] makes a scenario of them; both are without I/O.
//! [`Files`] keeps what is counted, [`record`] is the loop round them.

mod error;
mod files;
mod lines;
mod run;
mod summary;
mod tally;
#[cfg(test)]
mod tests;
mod totals;
mod view;

pub use error::RecordError;
pub use files::Files;
pub use run::{Progress, Settings, record};
pub use summary::{FunctionSummary, Gap, Summary};
pub use tally::{Key, Step, Tally, What};
pub use totals::{Cost, Totals};
pub use view::{View, view};
