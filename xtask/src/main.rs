//! The one entrance for builders.
fn main() {}
