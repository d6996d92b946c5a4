//! Rigs and payloads that the benches share.
