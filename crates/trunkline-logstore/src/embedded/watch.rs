//! When a search ends before its time: its deadline came, or nobody waits for it any more.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How many steps are taken between two looks.
const STEPS: u32 = 1024;

/// What a search looks at on its way.
#[derive(Debug)]
pub(super) struct Watch {
    until: Instant,
    given_up: Arc<AtomicBool>,
    steps: Cell<u32>,
}

/// Why a search ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("it took too long")]
    TooLong,
    #[error(transparent)]
    Index(#[from] tantivy::TantivyError),
    #[error("the index cannot be read")]
    Disk(#[from] std::io::Error),
    #[error("a stored document is not one of ours")]
    Source(#[from] serde_json::Error),
}

impl Watch {
    pub(super) fn new(until: Instant, given_up: Arc<AtomicBool>) -> Self {
        Self { until, given_up, steps: Cell::new(0) }
    }

    /// One step; says now and then whether to end.
    pub(super) fn step(&self) -> Result<(), Ended> {
        let steps = self.steps.get() + 1;
        if steps < STEPS {
            self.steps.set(steps);
            return Ok(());
        }
        self.steps.set(0);
        self.look()
    }

    /// Whether to end.
    pub(super) fn look(&self) -> Result<(), Ended> {
        let over = self.given_up.load(Ordering::Relaxed) || Instant::now() >= self.until;
        if over { Err(Ended::TooLong) } else { Ok(()) }
    }
}
