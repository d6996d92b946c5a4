//! The engine's process for `route`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| trunkline_fuzz::route(input));
