//! The agent: follows the gateway's functions, asks the strategy once a period, has the data plane carry it out, and
//! tells operators what goes on.

mod arming;
mod core;
mod counted;
mod cpu_time;
mod federate;
mod following;
mod gateways;
mod health;
mod hearing;
mod history;
mod interfaces;
mod lock;
mod measure;
mod measure_machine;
mod operate;
mod plans;
mod publish;
mod query;
mod query_format;
mod query_http;
mod report;
mod report_flows;
mod report_measured;
mod report_peers;
mod report_plan;
mod reporting;
mod reporting_peers;
mod roster;
mod run;
mod settling;
mod sources;
mod state;
mod turn;
mod writer;
mod written;

pub use following::{FollowError, Follower, Following, News};
pub use gateways::GatewayView;
pub use health::{Check, Health};
pub use interfaces::check_interfaces;
pub use lock::{Lock, LockError};
pub use operate::{Ask, DrainReport, Word};
pub use report::{
    FunctionReport, FunctionsReport, GatewayReport, InflightReport, InvocationReport, OverlayReport,
    StatusReport,
};
pub use report_flows::{FlowsReport, FollowLine};
pub use report_measured::{FunctionCounters, Measured, MeasuredReport, PeerSeen};
pub use report_peers::{PeerReport, PeersReport};
pub use report_plan::{PlanReport, PlansReport, ShareReport};
pub(crate) use reporting::{backend, origin};
pub use run::{AgentError, Exit, Outcome, run, run_over};
pub use sources::{Provided, providers};
pub use state::{State, WrittenPlan};
pub use writer::{Writer, WriterGone};
