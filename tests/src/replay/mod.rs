//! A scenario of the simulator on live nodes: the same federation, and users that ask at the same moments for the same
//! functions, but real agents, kernels and packets.
//!
//! Nodes know each other all; a gateway answers at once and serves each function as often a second as the scenario's
//! processors would if they served nothing else, and answers 429 to what comes beyond that. Frames between nodes take as
//! long as the scenario says.

mod calls;
mod fits;
mod outcome;
mod run;
mod site;

pub use calls::{Calls, by_function};
pub use fits::{MOST_NODES, STRATEGIES, fits};
pub use outcome::{Asked, outcome};
pub use run::{Lived, Replay, Seen, run};
pub use site::Site;
