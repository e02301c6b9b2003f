//! The programs that the entry programs jump to (`bpf_tail_call`). Each begins with an empty stack and is verified by
//! itself.

/// Names of the programs, by index in the map of programs.
pub const STEPS: &[&str] = &["dfaas_first", "dfaas_next"];

/// The first data of a connection: the choice.
pub const FIRST: u32 = 0;
/// A backend refused or kept silent: the next one.
pub const NEXT: u32 = 1;
