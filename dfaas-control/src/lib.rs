//! Strategies: pure code.
#![forbid(unsafe_code)]
