//! Stories of the search for scenarios that break an invariant, and of the faults that it draws.

mod faults;
mod search;
mod techniques;
