//! To be filled by its first test.
