//! The engine's process for `token`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| trunkline_fuzz::token(input));
