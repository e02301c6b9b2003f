//! The best possible division: cases worked out by hand, and what must hold of any.

mod by_hand;
mod checker;
mod properties;
mod refusals;
mod towns;
