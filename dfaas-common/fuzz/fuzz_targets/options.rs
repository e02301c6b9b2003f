//! The target `options` as a program of libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dfaas_fuzz::options(data));
