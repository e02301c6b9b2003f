//! The target `response` as a program of libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dfaas_fuzz::response(data));
