//! Where the agent answers operators: a Unix socket for the `dfaas` commands, a TCP address for metrics and health.

mod client;
mod explain;
mod flows;
mod kernel_metrics;
mod lasting;
mod lease_metrics;
mod metrics;
mod overlay_metrics;
mod query_metrics;
mod router;
mod serve;
mod traffic_metrics;
mod view;

pub use client::{ClientError, Lines, follow, get, post};
pub use metrics::{TickHistogram, encode, tick_histogram};
pub use serve::{AdminError, Listeners};
pub use view::View;
