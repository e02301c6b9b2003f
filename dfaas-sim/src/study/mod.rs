//! Techniques side by side: all of them with all seeds on one scenario, beside the best possible.
//!
//! With one seed all techniques meet the same users at the same nodes; finished runs may be kept in a folder, so that a
//! study that was interrupted, or gets another technique, does only what is missing.

mod bounded;
mod indexes;
mod names;
mod possible;
mod runs;
mod store;
mod summary;
mod windows;

pub use bounded::{RunBound, WINDOW_S, WindowBound, bound_of};
pub use indexes::{Distribution, Indexes};
pub use names::techniques;
pub use runs::{ALONE, Plan, Progress, Run, Runs, Study, StudyError, study};
pub use store::{Store, StoreError, key};
pub use summary::{BoundSummary, Mean, Summary};
