//! What kernel and user space agree on.
#![cfg_attr(not(test), no_std)]
