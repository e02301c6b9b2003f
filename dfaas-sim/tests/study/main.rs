//! Techniques side by side, beside the best possible: from the command to its files.

mod bounds;
mod desk;
mod files;
mod refusals;
mod resuming;
mod tables;
mod traces;
