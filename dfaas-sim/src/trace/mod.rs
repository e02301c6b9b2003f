//! Arrivals over time, measured or made: how many requests for each function came to each node in each interval.
//!
//! Readers and writers: [`read_recording`] and [`write_recording`] for the project's own tables, [`read_k6`] and
//! [`write_k6`] for the load tests of the original DFaaS, [`AzureRows`] and [`read_azure`] for the Azure Functions trace
//! of 2019. [`Counters`] and [`RecordingWriter`] are for those who count while it goes on. What can be done with a [`Trace`] are its methods; [`Synthetic`] makes one.

mod assign;
mod azure;
mod counters;
mod error;
mod k6;
mod model;
mod rate;
mod recording;
mod stagger;
mod statistics;
mod synthetic;
#[cfg(test)]
mod tests;
mod time;

pub use assign::Assignment;
pub use azure::{AzureRow, AzureRows, AzureSelection, read_azure};
pub use counters::{Counters, Grown, Known};
pub use error::TraceError;
pub use k6::{K6_INTERVAL, read_k6, write_k6};
pub use model::{MAX_CELLS, MAX_INTERVALS, SeriesKey, Trace};
pub use recording::{RecordingWriter, read_recording, write_recording};
pub use statistics::{FunctionStatistics, TraceStatistics};
pub use synthetic::Synthetic;
