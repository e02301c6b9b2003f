//! The agent: follows the gateway's functions, asks the strategy once a period, has the data plane carry it out, and
//! tells operators what goes on.

mod core;
mod health;
mod interfaces;
mod lock;
mod measure;
mod plans;
mod report;
mod reporting;
mod run;
mod state;
mod turn;
mod writer;

pub use health::{Check, Health};
pub use interfaces::check_interfaces;
pub use lock::{Lock, LockError};
pub use report::{
    FunctionReport, FunctionsReport, InflightReport, InvocationReport, PeerReport, PeersReport, PlanReport,
    PlansReport, ShareReport, StatusReport,
};
pub(crate) use reporting::{backend, origin};
pub use run::{AgentError, Exit, Outcome, run};
pub use state::{State, WrittenPlan};
pub use writer::{Writer, WriterGone};
