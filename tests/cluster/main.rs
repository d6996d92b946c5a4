//! To be filled by its first scenario.

fn main() {}
