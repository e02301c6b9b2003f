//! The `dfaas` binary.
fn main() {}
