//! Bounded tests and the full numbers behind them.

/// How often a test does what it does: `bounded` in `cargo test`, `full` with `TRUNKLINE_PROVE=1`.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The number in force.
    pub times: usize,
    bounded: usize,
    full: usize,
}

/// How often a test does what it does.
pub fn count(bounded: usize, full: usize) -> Count {
    let proving = std::env::var_os("TRUNKLINE_PROVE").is_some_and(|value| value == "1");
    Count { times: if proving { full } else { bounded }, bounded, full }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { times, bounded, full } = self;
        write!(f, "{times} (bounded {bounded}, in full {full})")
    }
}
