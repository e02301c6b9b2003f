//! The target `translate` as a program of libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dfaas_fuzz::translate(data));
