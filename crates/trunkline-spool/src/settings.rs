//! How a spool is kept.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::OpenError;

/// What time it is.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What happens when the cap is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Full {
    /// New records are refused: whoever brings them keeps them.
    #[default]
    Refuse,
    /// The oldest segment goes, and what was in it is counted as a gap.
    DropOldest,
}

/// How a spool is kept.
#[derive(Clone)]
pub struct Settings {
    /// How many bytes may lie on the disk. At least 64 KiB.
    pub cap: u64,
    /// What happens then.
    pub full: Full,
    /// How old a record may become; then its segment goes, and what was in it is counted as a gap. None: as old as it gets.
    pub max_age: Option<Duration>,
    /// After how many bytes another segment begins. Never more than a quarter of the cap.
    pub segment_bytes: u64,
    /// How long records wait for others to be written with.
    pub linger: Duration,
    /// How many bytes of records may wait for the disk; whoever brings more waits. Also the most that one call may bring.
    pub queue_bytes: usize,
    /// Whence the day and the age of records come.
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cap: 2 * 1024 * 1024 * 1024,
            full: Full::Refuse,
            max_age: None,
            segment_bytes: 16 * 1024 * 1024,
            linger: Duration::from_millis(5),
            queue_bytes: 16 * 1024 * 1024,
            clock: Arc::new(SystemTime::now),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("cap", &self.cap)
            .field("full", &self.full)
            .field("max_age", &self.max_age)
            .field("segment_bytes", &self.segment_bytes)
            .field("linger", &self.linger)
            .field("queue_bytes", &self.queue_bytes)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if self.cap < 64 * 1024 {
            return Err(OpenError::Settings("its cap is less than 64 KiB"));
        }
        if self.queue_bytes < 64 * 1024 || self.queue_bytes > 1024 * 1024 * 1024 {
            return Err(OpenError::Settings("its queue is not between 64 KiB and 1 GiB"));
        }
        if self.linger > Duration::from_secs(1) {
            return Err(OpenError::Settings("records would wait for more than 1 s"));
        }
        Ok(())
    }

    /// After how many bytes another segment begins: whole segments go, so that there must be some of them.
    pub(crate) fn segment(&self) -> u64 {
        self.segment_bytes.min(self.cap / 4).max(1)
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        let since = (self.clock)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
