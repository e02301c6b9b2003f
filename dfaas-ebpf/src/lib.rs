//! Empty on purpose: a library target lets `dfaas-userspace` name this crate as a build dependency, so that
//! cargo rebuilds the programs when they change.
#![no_std]
