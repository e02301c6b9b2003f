//! Files that people hand in: how they are read, and what is wrong with one, and where.

mod error;
mod json;
mod table;

pub use error::InputError;
pub(crate) use json::from_json;
pub(crate) use table::Table;
