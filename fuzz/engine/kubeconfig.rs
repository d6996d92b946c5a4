//! The engine's process for `kubeconfig`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| trunkline_fuzz::kubeconfig(input));
