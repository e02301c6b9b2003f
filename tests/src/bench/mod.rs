//! Measuring what each way to serve costs: a fast server, a closed-loop caller, and a lab in which the ways stand side
//! by side. Server and caller are the program `traffic`, so that each runs as a process of its own.

mod answer;
mod call;
mod cpu;
mod exchange;
mod haproxy;
mod head;
mod others;
mod run;
mod server;
mod serving;
mod site;
mod tally;
mod way;
mod workload;

pub use call::{Call, call};
pub use run::Run;
pub use server::{Server, serve};
pub use site::{Programs, Site};
pub use way::Way;
pub use workload::{FUNCTION, LARGE, Workload};
