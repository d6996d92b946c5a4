//! How many search at once, and for how long.
//!
//! Limits: as many as there are processors, four at the most; 64 more wait; and each ends 10 s after it was asked for,
//! waiting included, or when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::timeout;
use trunkline_logs::Question;
use trunkline_runtime::chain;

use super::parts::Parts;
use super::reading::Reading;
use super::watch::{Ended, Watch};
use crate::SearchError;

/// How long a search may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How many wait.
const WAITING: usize = 64;

/// Who may search.
#[derive(Clone, Debug)]
pub(super) struct Searches {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// Says, when it goes, that nobody waits.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Searches {
    pub(super) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = processors.min(4);
        Self {
            at_once: Arc::new(Semaphore::new(at_once)),
            waiting: Arc::new(Semaphore::new(at_once + WAITING)),
        }
    }

    /// Searches what is there now.
    pub(super) async fn search<T: Send + 'static>(
        &self,
        parts: &Parts,
        question: Question,
        work: impl FnOnce(&Reading, &Question, &Watch) -> Result<T, Ended> + Send + 'static,
    ) -> Result<T, SearchError> {
        let until = Instant::now() + DEADLINE;
        let Ok(waiting) = self.waiting.clone().try_acquire_owned() else {
            return Err(SearchError::Unavailable(format!("{WAITING} searches wait already")));
        };
        let Ok(Ok(place)) = timeout(DEADLINE, self.at_once.clone().acquire_owned()).await else {
            return Err(SearchError::TooMuch(DEADLINE.as_secs()));
        };
        let given_up = Arc::new(AtomicBool::new(false));
        let waits = Waits(given_up.clone());
        let parts = parts.all();
        let searched = tokio::task::spawn_blocking(move || {
            // The place is given back when the work ends, whoever waited for it.
            let (_place, _waiting) = (place, waiting);
            let watch = Watch::new(until, given_up);
            let reading = Reading::new(&parts, &question, &watch)?;
            work(&reading, &question, &watch)
        });
        let result = searched.await;
        drop(waits);
        match result {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(Ended::TooLong)) => Err(SearchError::TooMuch(DEADLINE.as_secs())),
            Ok(Err(error)) => Err(SearchError::Unavailable(chain(&error))),
            Err(_) => Err(SearchError::Unavailable("the search ended by itself".into())),
        }
    }
}
