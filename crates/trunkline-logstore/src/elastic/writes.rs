//! Whether the store takes what is handed in: it may answer, and refuse all the same. A full disk makes its indices read-only, a limit of
//! shards lets no new day begin, and one that is overloaded says 429.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{Outcome, Unavailable};

/// For how long nothing must have been taken to be told: a single 429 is no fault.
const LONG: Duration = Duration::from_secs(10);

/// Since when nothing is taken, and why, if that is so.
#[derive(Debug, Default)]
pub(super) struct Writes(Mutex<Option<(Instant, String)>>);

impl Writes {
    /// Remembers what became of documents.
    pub(super) fn saw(&self, now: Instant, said: &Result<Vec<Outcome>, Unavailable>) {
        let refused = match said {
            Err(unavailable) => Some(&unavailable.why),
            Ok(outcomes)
                if outcomes
                    .iter()
                    .any(|outcome| matches!(outcome, Outcome::Stored | Outcome::AlreadyThere)) =>
            {
                None
            }
            Ok(outcomes) => {
                let later = outcomes.iter().find_map(|outcome| match outcome {
                    Outcome::Later(why) => Some(why),
                    _ => None,
                });
                // Where nothing was to be stored, nothing was seen.
                let Some(why) = later else { return };
                Some(why)
            }
        };
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = since.as_ref().map_or(now, |(began, _)| *began);
        *since = refused.map(|why| (began, why.clone()));
    }

    /// Why nothing is taken, once that has been so for long.
    pub(super) fn fault(&self, now: Instant) -> Option<String> {
        let since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, why) = since.as_ref()?;
        let is_long = now.saturating_duration_since(*began) >= LONG;
        is_long.then(|| format!("it takes nothing: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_answers_and_takes_nothing_for_long_has_a_fault() {
        let (writes, began) = (Writes::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        let later = |why: &str| Ok(vec![Outcome::Rejected("bad".into()), Outcome::Later(why.into())]);
        writes.saw(at(0), &later("429"));
        assert_eq!(writes.fault(at(9)), None);
        writes.saw(at(9), &Err(Unavailable { why: "cluster_block_exception".into(), retry_after: None }));
        let fault = writes.fault(at(10)).unwrap();
        assert!(fault.contains("takes nothing") && fault.contains("cluster_block_exception"), "{fault}");
        // What is said of a document alone changes nothing, and one that is stored ends it.
        writes.saw(at(11), &Ok(vec![Outcome::Rejected("bad".into())]));
        assert!(writes.fault(at(11)).is_some());
        writes.saw(at(12), &Ok(vec![Outcome::Later("429".into()), Outcome::AlreadyThere]));
        assert_eq!(writes.fault(at(100)), None);
        writes.saw(at(100), &later("429"));
        assert_eq!(writes.fault(at(105)), None);
    }
}
