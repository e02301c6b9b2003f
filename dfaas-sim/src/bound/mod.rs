//! The best that any division of the load could do, known beforehand: what strategies are compared with.
//!
//! For one window of time with constant rates, `x[i][j][f]` is how many invocations a second of function `f` that users
//! bring to node `i` are served at node `j`, which is `i` or one that `i` may forward to:
//!
//! ```text
//! max  sum w[f] x[i][j][f]
//! s.t. sum over j    of           x[i][j][f] <= demand[i][f]      nothing is served that nobody asked for
//!      sum over i, f of s[j][f]   x[i][j][f] <= rho[j] C[j]       processors
//!      sum over i, f of m[f]/q[f] h[j][f] x  <= M[j]              memory of the instances
//!      sum over i    of           x[i][j][f] <= L[j][f]           limit of a function at a node
//!      sum over f    of l[f]      x[i][j][f] <= B[i][j]           link, i and j different
//!      x[i][j][f] = 0 unless j has f and d[i][j] + l[f]/B[i][j] + h[j][f] <= D[f]
//! ```
//!
//! The memory row is that of instances, `sum h x <= q r` and `sum m r <= M`, with the number `r` of instances taken out:
//! as it may be a fraction, it is as small as it can be. Then, with the value served kept, [`least_forwarding`] looks for
//! `min sum (d[i][j] + l[f]/B[i][j]) x` over `i` and `j` that differ.
//!
//! The solver need not be believed: each [`Best`] holds a division that was checked against every row, and a ceiling that
//! follows from the prices of the rows by weak duality, whatever these prices are. The bound is the ceiling.
//!
//! A window knows no past. Work that arrives at its end may be done after it, so a node can beat the bound of a window of
//! length `T` by `D / T`; whoever wants a strict bound says so in `rho`.

mod certificate;
mod comparison;
mod division;
mod error;
mod forwarding;
mod pooled;
mod program;
mod routes;
mod solver;
mod window;

pub use certificate::{Best, best};
pub use comparison::Comparison;
pub use division::{Division, Flow};
pub use error::{BoundError, WindowError};
pub use forwarding::least_forwarding;
pub use window::{Cost, Function, Goal, Link, Node, Window};
