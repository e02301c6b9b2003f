//! The TC programs that steer invocations, attached to ingress and egress of every interface where users, peers or
//! backends come in. See ARCHITECTURE.md, "Life of a packet".
//!
//! For any other target than BPF there is nothing here: the workspace stays checkable with a stable compiler.
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", no_main)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
mod programs;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
